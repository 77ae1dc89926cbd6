// Where the bytes are, as a picture. The table of tensors says the same in words.
import { bytes, el, plural, svg } from "./dom";
import { squarify } from "./layout";
import type { Node } from "./tree";

const height = 160; // as in inspector.css
const most = 60; // boxes; what is smaller stands together

interface Part {
  name: string;
  size: number;
  tensors: number;
}

/** The groups to show: as deep as it takes for there to be more than one. */
function parts(root: Node): Part[] {
  let at = root;
  while (at.children.length === 1 && at.children[0] && at.children[0].children.length > 0) {
    at = at.children[0];
  }
  const sorted = [...at.children].sort((a, b) => b.size - a.size);
  const shown: Part[] = sorted.slice(0, most).map((n) => ({ name: n.name.replace(/\.$/, ""), size: n.size, tensors: n.tensors }));
  const rest = sorted.slice(most);
  if (rest.length > 0) {
    shown.push({ name: plural(rest.length, "other group"), size: rest.reduce((s, n) => s + n.size, 0), tensors: rest.reduce((s, n) => s + n.tensors, 0) });
  }
  return shown;
}

export function treemap(root: Node): HTMLElement | undefined {
  if (root.size === 0) {
    return undefined;
  }
  const box = el("div", { class: "treemap" });
  let drawn = 0;
  new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== drawn) {
      drawn = box.clientWidth;
      box.replaceChildren(draw(root, drawn));
    }
  }).observe(box);
  return box;
}

function draw(root: Node, width: number): SVGElement {
  const boxes = squarify(parts(root), (p) => p.size, width, height);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Sizes of ${plural(boxes.length, "group")} of tensors; the table below has them all` });
  boxes.forEach((b, i) => {
    const fits = b.width > 60 && b.height > 18;
    picture.append(
      svg(
        "g",
        { class: `part part${i % 6}` },
        svg("title", {}, `${b.item.name} ${bytes(b.item.size)}, ${plural(b.item.tensors, "tensor")}`),
        svg("rect", { x: b.x, y: b.y, width: b.width, height: b.height }),
        fits ? svg("text", { x: b.x + 5, y: b.y + 14 }, fit(b.item.name, b.width)) : undefined,
        fits && b.height > 34 ? svg("text", { x: b.x + 5, y: b.y + 28, class: "small" }, bytes(b.item.size)) : undefined,
      ),
    );
  });
  return picture;
}

function fit(name: string, space: number): string {
  const letters = Math.floor((space - 10) / 7);
  return name.length > letters ? `${name.slice(0, Math.max(1, letters - 1))}…` : name;
}
