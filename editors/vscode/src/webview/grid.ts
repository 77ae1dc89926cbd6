// A table of which only the rows on the screen exist. A tree grid as WAI-ARIA describes it: one stop for the
// keyboard, arrows move and open.
import { bytes, el, plural } from "./dom";
import { search, shape, visible, type Column, type Node } from "./tree";

const rowHeight = 22; // as in inspector.css
const spare = 12; // rows beyond the screen

const columns: { id: Column; title: string }[] = [
  { id: "name", title: "Name" },
  { id: "dtype", title: "Type" },
  { id: "shape", title: "Shape" },
  { id: "size", title: "Size" },
];

export class Grid {
  private readonly open = new Set<string>();
  private rows: Node[] = [];
  private active = 0;
  private words = "";
  private column: Column | undefined; // undefined: the tree, in the file's order
  private descending = false;
  private readonly spacer = el("div", { class: "spacer", role: "rowgroup" });
  private readonly head = el("div", { role: "row", class: "row head", "aria-rowindex": 1 });
  private readonly count = el("span", { role: "status", class: "count" });
  private readonly body = el("div", {
    class: "grid", role: "treegrid", tabindex: 0, "aria-label": "Tensors", "aria-readonly": "true", "aria-colcount": columns.length,
    scroll: () => { this.draw(); },
    keydown: (event: KeyboardEvent) => { this.key(event); },
  });
  readonly element: HTMLElement;

  constructor(private readonly root: Node) {
    this.openFirst();
    const input = el("input", {
      type: "search", placeholder: "Search by name, type or shape", "aria-label": "Search tensors",
      input: () => { this.words = input.value; this.update(); },
    });
    this.body.append(el("div", { role: "rowgroup", class: "headgroup" }, this.head), this.spacer);
    this.element = el("div", { class: "tensors" }, el("div", { class: "bar" }, input, this.count), this.body);
    new ResizeObserver(() => { this.draw(); }).observe(this.body);
    this.update();
  }

  /** Groups are open as long as few rows come of it. */
  private openFirst(): void {
    let level = this.root.children;
    let rows = level.length;
    while (level.length > 0) {
      const next = level.flatMap((n) => n.children);
      rows += next.length;
      if (rows > 200) {
        return;
      }
      level.filter((n) => n.children.length > 0).forEach((n) => this.open.add(n.name));
      level = next;
    }
  }

  private update(): void {
    const flat = this.words.trim() !== "" || this.column !== undefined;
    this.rows = flat ? search(this.root, this.words, this.column ?? "name", this.descending) : visible(this.root, this.open);
    this.active = Math.max(0, Math.min(this.active, this.rows.length - 1));
    this.count.textContent = flat ? `${plural(this.rows.length, "tensor")} of ${this.root.tensors.toLocaleString("en")}` : plural(this.root.tensors, "tensor");
    this.body.setAttribute("aria-rowcount", String(this.rows.length + 1));
    this.spacer.style.height = `${this.rows.length * rowHeight}px`;
    this.head.replaceChildren(...columns.map((c) => this.header(c.id, c.title)));
    this.draw();
  }

  private header(id: Column, title: string): HTMLElement {
    const sorted = this.column === id ? (this.descending ? "descending" : "ascending") : "none";
    const sign = sorted === "none" ? "" : sorted === "ascending" ? " ▲" : " ▼";
    const button = el("button", { type: "button", click: () => { this.sort(id); } }, title + sign);
    return el("div", { role: "columnheader", class: id, "aria-sort": sorted }, button);
  }

  /** Up, down, and back to the tree. Sizes begin with the largest. */
  private sort(id: Column): void {
    const first = id === "size" || id === "shape";
    if (this.column !== id) {
      this.column = id;
      this.descending = first;
    } else if (this.descending === first) {
      this.descending = !first;
    } else {
      this.column = undefined;
    }
    this.update();
    this.head.querySelector<HTMLElement>(`.${id} button`)?.focus();
  }

  private draw(): void {
    const from = Math.max(0, Math.floor(this.body.scrollTop / rowHeight) - spare);
    const to = Math.min(this.rows.length, from + Math.ceil(this.body.clientHeight / rowHeight) + 2 * spare);
    const made: HTMLElement[] = [];
    for (let i = from; i < to; i++) {
      const node = this.rows[i];
      if (node) {
        made.push(this.row(node, i));
      }
    }
    this.spacer.replaceChildren(...made);
    this.body.setAttribute("aria-activedescendant", this.rows.length > 0 ? `row${this.active}` : "");
  }

  private row(node: Node, i: number): HTMLElement {
    const group = node.tensor === undefined;
    const isOpen = group && this.open.has(node.name);
    const made = el(
      "div",
      {
        role: "row", id: `row${i}`, class: i === this.active ? "row active" : "row", "aria-rowindex": i + 2, "aria-level": node.level,
        "aria-expanded": group ? String(isOpen) : undefined, "aria-selected": String(i === this.active),
        click: () => { this.active = i; if (group) { this.toggle(node, !isOpen); } else { this.draw(); } },
      },
      el("div", { role: "gridcell", class: "name", title: node.name }, el("span", { class: "twist", "aria-hidden": "true" }, group ? (isOpen ? "▾" : "▸") : ""), node.label),
      el("div", { role: "gridcell", class: "dtype" }, group ? plural(node.tensors, "tensor") : (node.tensor?.dtype ?? "")),
      el("div", { role: "gridcell", class: "shape" }, shape(node.tensor)),
      el("div", { role: "gridcell", class: "size" }, bytes(node.size)),
    );
    made.style.top = `${i * rowHeight}px`;
    (made.firstElementChild as HTMLElement).style.paddingInlineStart = `${Math.min(node.level - 1, 20) * 16 + 4}px`;
    return made;
  }

  private toggle(node: Node, open: boolean): void {
    if (open) {
      this.open.add(node.name);
    } else {
      this.open.delete(node.name);
    }
    this.update();
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.body) {
      return;
    }
    const page = Math.max(1, Math.floor(this.body.clientHeight / rowHeight) - 2);
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.rows.length, End: this.rows.length };
    const move = moves[event.key];
    const node = this.rows[this.active];
    if (move !== undefined) {
      this.active = Math.max(0, Math.min(this.rows.length - 1, this.active + move));
      this.reveal();
    } else if (node?.tensor === undefined && node && (event.key === "ArrowRight" || event.key === "ArrowLeft" || event.key === "Enter")) {
      this.toggle(node, event.key === "Enter" ? !this.open.has(node.name) : event.key === "ArrowRight");
    } else {
      return;
    }
    event.preventDefault();
  }

  private reveal(): void {
    const top = this.active * rowHeight;
    const room = this.body.clientHeight - rowHeight; // below the head
    if (top < this.body.scrollTop) {
      this.body.scrollTop = top;
    } else if (top + rowHeight > this.body.scrollTop + room) {
      this.body.scrollTop = top + rowHeight - room;
    }
    this.draw();
  }
}
