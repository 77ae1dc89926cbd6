// A squarified treemap (Bruls, Huizing, van Wijk 2000). Pure.

export interface Box<T> {
  item: T;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Lays items out in a rectangle, by size. What has none gets no box. */
export function squarify<T>(items: readonly T[], size: (item: T) => number, width: number, height: number): Box<T>[] {
  const rest = items.filter((i) => size(i) > 0).sort((a, b) => size(b) - size(a));
  const total = rest.reduce((sum, i) => sum + size(i), 0);
  const scale = total > 0 ? (width * height) / total : 0;
  const boxes: Box<T>[] = [];
  let x = 0;
  let y = 0;
  let row: { item: T; area: number }[] = [];
  const side = () => Math.max(Math.min(width - x, height - y), 1e-9);
  const flush = () => {
    const sum = row.reduce((s, r) => s + r.area, 0);
    const thickness = sum / side();
    const tall = width - x > height - y; // the row stands upright at the left
    let at = 0;
    for (const r of row) {
      const length = r.area / Math.max(thickness, 1e-9);
      boxes.push(tall ? { item: r.item, x, y: y + at, width: thickness, height: length } : { item: r.item, x: x + at, y, width: length, height: thickness });
      at += length;
    }
    if (tall) {
      x += thickness;
    } else {
      y += thickness;
    }
    row = [];
  };
  for (const item of rest) {
    const next = { item, area: size(item) * scale };
    if (row.length > 0 && worst([...row, next], side()) > worst(row, side())) {
      flush();
    }
    row.push(next);
  }
  if (row.length > 0) {
    flush();
  }
  return boxes;
}

/** The ratio of the longest box's sides in a row. */
function worst(row: readonly { area: number }[], side: number): number {
  const areas = row.map((r) => r.area);
  const sum = areas.reduce((s, a) => s + a, 0);
  return Math.max((side * side * Math.max(...areas)) / (sum * sum), (sum * sum) / (side * side * Math.min(...areas)));
}
