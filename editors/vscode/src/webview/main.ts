// The inspector's page.
import type { FromPage, Inspection, Listing, ToPage } from "../inspector/data";
import { el, plural } from "./dom";
import { Grid } from "./grid";
import { listing } from "./listing";
import { heading, metadata, overview } from "./overview";
import { tabs, type Tab } from "./tabs";
import { build } from "./tree";
import { treemap } from "./treemap";

interface Host {
  postMessage(message: FromPage): void;
  getState(): { tab?: string } | undefined;
  setState(state: { tab: string }): void;
}
declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();
const root = document.getElementById("root") ?? document.body;
const listings = new Map<Listing, HTMLElement>();
let current: Inspection | undefined;

function show(inspection: Inspection): void {
  current = inspection;
  listings.clear();
  const tensors = inspection.facts.filter((f) => f.kind === "tensor");
  const tree = build(tensors);
  const pickled = inspection.facts.some((f) => f.kind === "global" || (f.kind === "source" && f.value === "pickle")) || inspection.artifact.formats.includes("pickle");
  const all: Tab[] = [
    { id: "overview", title: "Overview", content: () => overview(inspection) },
    ...(pickled ? [later("program", "What it would run"), later("opcodes", "Opcodes")] : []),
    ...(tensors.length > 0 ? [{ id: "tensors", title: plural(tensors.length, "tensor"), content: () => el("div", {}, treemap(tree), new Grid(tree).element) }] : []),
    { id: "metadata", title: "Metadata", content: () => metadata(inspection.facts) },
  ];
  root.replaceChildren(heading(inspection.artifact), tabs(all, host.getState()?.tab ?? "overview", (tab) => { host.setState({ tab }); }));
}

/** A tab whose content is asked for when it is first seen. */
function later(id: Listing, title: string): Tab {
  return {
    id, title,
    content: () => {
      const box = el("div", {}, el("p", { role: "status" }, "Reading …"));
      listings.set(id, box);
      host.postMessage({ kind: "listing", listing: id });
      return box;
    },
  };
}

function problem(text: string, id: Listing | undefined): void {
  const box = el("p", { class: "problem", role: "alert" }, text);
  ((id && listings.get(id)) ?? root).replaceChildren(box);
}

window.addEventListener("message", (event: MessageEvent<ToPage>) => {
  const message = event.data;
  switch (message.kind) {
    case "inspection":
      show(message.inspection);
      break;
    case "listing":
      listings.get(message.listing)?.replaceChildren(listing(message.text, current?.artifact.findings ?? [], message.listing === "opcodes"));
      break;
    case "problem":
      problem(message.text, message.listing);
      break;
  }
});
host.postMessage({ kind: "ready" });
