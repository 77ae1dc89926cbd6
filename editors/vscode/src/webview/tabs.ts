// Tabs as WAI-ARIA describes them: arrows move between them, what is not seen does not exist.
import { el } from "./dom";

export interface Tab {
  id: string;
  title: string;
  /** Makes the content, when it is first seen. */
  content: () => HTMLElement;
}

export function tabs(all: readonly Tab[], first: string, chosen: (id: string) => void): HTMLElement {
  const made = new Map<string, HTMLElement>();
  const panel = el("div", { role: "tabpanel", id: "panel", tabindex: 0 });
  const buttons = all.map((tab) =>
    el("button", { type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": "panel", click: () => { show(tab.id); }, keydown: (e: KeyboardEvent) => { move(e, tab.id); } }, tab.title),
  );
  const show = (id: string) => {
    const tab = all.find((t) => t.id === id) ?? all[0];
    if (!tab) {
      return;
    }
    for (const button of buttons) {
      const on = button.id === `tab-${tab.id}`;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    const content = made.get(tab.id) ?? tab.content();
    made.set(tab.id, content);
    panel.setAttribute("aria-labelledby", `tab-${tab.id}`);
    panel.replaceChildren(content);
    chosen(tab.id);
  };
  const move = (event: KeyboardEvent, id: string) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step === undefined ? undefined : all[(all.findIndex((t) => t.id === id) + step + all.length) % all.length];
    if (next) {
      show(next.id);
      buttons.find((b) => b.id === `tab-${next.id}`)?.focus();
      event.preventDefault();
    }
  };
  const box = el("div", { class: "tabs" }, el("div", { role: "tablist", "aria-label": "Parts of the report" }, ...buttons), panel);
  show(first);
  return box;
}
