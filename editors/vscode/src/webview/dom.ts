// Elements from values. Texts only ever become text nodes: what a model says cannot become markup.

type Child = Node | string | number | undefined;
type Attributes = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

/** Makes an element. Attributes that are functions listen to the event of that name. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  set(made, attributes);
  made.append(...children.filter((c) => c !== undefined).map((c) => (typeof c === "number" ? String(c) : c)));
  return made;
}

export function svg(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(made, attributes);
  made.append(...children.filter((c) => c !== undefined).map((c) => (typeof c === "number" ? String(c) : c)));
  return made;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, value as (event: Event) => void);
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

const units = ["bytes", "KB", "MB", "GB", "TB"];

/** A size in bytes for people, in powers of 1,000 as file managers and hubs say it. */
export function bytes(n: number): string {
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit === 0 ? n : n.toFixed(n < 10 ? 2 : 1)} ${units[unit] ?? ""}`;
}

export function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}

export function plural(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${n.toLocaleString("en")} ${what}s`;
}
