// Tensor names as a tree: "layer.0.weight" lies in "layer.0". Pure, so that it can be tested without a page.
import type { Fact } from "../inspector/data";

export interface Node {
  /** What the row says: one part of the name, or several where nothing branches. */
  label: string;
  /** The whole name, with a dot at its end for a group. */
  name: string;
  level: number;
  size: number;
  tensors: number;
  tensor: Fact | undefined;
  children: Node[];
}

/** Deeper names than this are not split further: an attacker chooses names. */
const maxDepth = 40;

export function build(tensors: readonly Fact[]): Node {
  const root: Node = { label: "", name: "", level: 0, size: 0, tensors: 0, tensor: undefined, children: [] };
  const groups = new Map<string, Node>([["", root]]);
  for (const tensor of tensors) {
    const parts = tensor.name.split(".");
    const split = parts.length > maxDepth ? [...parts.slice(0, maxDepth), parts.slice(maxDepth).join(".")] : parts;
    let at = root;
    grow(at, tensor);
    for (let i = 0; i < split.length - 1; i++) {
      const name = `${at.name}${split[i] ?? ""}.`;
      let group = groups.get(name);
      if (!group) {
        group = { label: split[i] ?? "", name, level: at.level + 1, size: 0, tensors: 0, tensor: undefined, children: [] };
        groups.set(name, group);
        at.children.push(group);
      }
      at = group;
      grow(at, tensor);
    }
    at.children.push({ label: split.at(-1) ?? "", name: tensor.name, level: at.level + 1, size: tensor.size ?? 0, tensors: 1, tensor, children: [] });
  }
  return root;
}

function grow(node: Node, tensor: Fact): void {
  node.size += tensor.size ?? 0;
  node.tensors++;
}

/** The rows that are seen when these groups are open. */
export function visible(root: Node, open: ReadonlySet<string>): Node[] {
  const rows: Node[] = [];
  const stack = [...root.children].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    rows.push(node);
    if (open.has(node.name)) {
      for (let i = node.children.length - 1; i >= 0; i--) {
        const child = node.children[i];
        if (child) {
          stack.push(child);
        }
      }
    }
  }
  return rows;
}

const order = new Intl.Collator("en", { numeric: true });

export type Column = "name" | "dtype" | "shape" | "size";

/** All tensors whose name, type or shape contains the words, in the order of a column. */
export function search(root: Node, words: string, column: Column, descending: boolean): Node[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((w) => w !== "");
  const found: Node[] = [];
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    const t = node.tensor;
    if (t) {
      const text = `${t.name} ${t.dtype ?? ""} ${shape(t)}`.toLowerCase();
      if (wanted.every((w) => text.includes(w))) {
        found.push({ ...node, label: t.name, level: 1 });
      }
    }
    stack.push(...node.children);
  }
  const sign = descending ? -1 : 1;
  return found.sort((a, b) => sign * compare(a, b, column) || (a.name < b.name ? -1 : 1));
}

function compare(a: Node, b: Node, column: Column): number {
  switch (column) {
    case "size":
      return a.size - b.size;
    case "shape":
      return elements(a.tensor) - elements(b.tensor);
    case "dtype":
      return order.compare(a.tensor?.dtype ?? "", b.tensor?.dtype ?? "");
    case "name":
      return order.compare(a.name, b.name);
  }
}

function elements(t: Fact | undefined): number {
  return (t?.shape ?? []).reduce((product, n) => product * n, 1);
}

export function shape(t: Fact | undefined): string {
  return t?.shape ? `[${t.shape.join(", ")}]` : "";
}
