// The inspector's page.
import type { Artifact, FromPage, Inspection, Listing, ToPage } from "../inspector/data";
import { el, plural } from "./dom";
import { Grid } from "./grid";
import { listing } from "./listing";
import { heading, metadata, overview } from "./overview";
import { provenance } from "./provenance";
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
/** What is drawn again once it is known what lies beside the file. */
let parts: { head: HTMLElement; overview: HTMLElement | undefined; provenance: HTMLElement | undefined } | undefined;
let current: Inspection | undefined;
let judged: Artifact | undefined;
let unjudged: string | undefined; // why it is not known

function show(inspection: Inspection): void {
  current = inspection;
  judged = undefined;
  unjudged = undefined;
  listings.clear();
  const drawn: NonNullable<typeof parts> = { head: heading(inspection.artifact), overview: undefined, provenance: undefined };
  parts = drawn;
  const tensors = inspection.facts.filter((f) => f.kind === "tensor");
  const tree = build(tensors);
  const pickled = inspection.facts.some((f) => f.kind === "global" || (f.kind === "source" && f.value === "pickle")) || inspection.artifact.formats.includes("pickle");
  const all: Tab[] = [
    { id: "overview", title: "Overview", content: () => (drawn.overview = overview(withJudged(inspection))) },
    ...(pickled ? [later("program", "What it would run"), later("opcodes", "Opcodes")] : []),
    ...(tensors.length > 0 ? [{ id: "tensors", title: plural(tensors.length, "tensor"), content: () => el("div", {}, treemap(tree), new Grid(tree).element) }] : []),
    { id: "metadata", title: "Metadata", content: () => metadata(inspection.facts) },
    { id: "provenance", title: "Signature and SBOM", content: () => (drawn.provenance = provenance(judged, unjudged)) },
  ];
  root.replaceChildren(drawn.head, tabs(all, host.getState()?.tab ?? "overview", (tab) => { host.setState({ tab }); }));
}

function withJudged(inspection: Inspection): Inspection {
  return judged ? { ...inspection, artifact: judged } : inspection;
}

/** Draws again what depends on the signature. The new elements take the place of the old ones, also where they are not seen now. */
function judge(artifact: Artifact): void {
  judged = artifact;
  if (!parts || !current) {
    return;
  }
  const swap = (old: HTMLElement | undefined, now: HTMLElement) => {
    old?.replaceChildren(...now.childNodes);
  };
  swap(parts.head, heading(artifact));
  swap(parts.overview, overview(withJudged(current)));
  swap(parts.provenance, provenance(artifact, undefined));
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

function problem(text: string, part: Listing | "provenance" | undefined): void {
  if (part === "provenance") {
    unjudged = text;
  }
  const place = part === undefined ? root : part === "provenance" ? parts?.provenance : listings.get(part);
  place?.replaceChildren(el("p", { class: "problem", role: "alert" }, text));
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
    case "provenance":
      judge(message.artifact);
      break;
    case "problem":
      problem(message.text, message.part);
      break;
  }
});
host.postMessage({ kind: "ready" });
