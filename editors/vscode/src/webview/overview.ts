// The verdict and what it rests on.
import type { Artifact, Fact, Inspection } from "../inspector/data";
import { bytes, el, hex, plural } from "./dom";

const signs: Record<string, string> = { safe: "✓", review: "⚠", unsafe: "✗" };

export function heading(a: Artifact): HTMLElement {
  const name = a.path.split(/[/\\]/).at(-1) ?? a.path;
  return el(
    "header",
    {},
    el("h1", {}, name),
    el("p", { class: `verdict ${a.verdict}`, role: "status" }, el("span", { "aria-hidden": "true" }, `${signs[a.verdict] ?? "?"} `), a.verdict.toUpperCase()),
    el(
      "p",
      { class: "facts" },
      [`threat score ${a.threat_score} of 100 (${a.threat_level})`, a.formats.join(", "), bytes(a.size), a.sandbox?.grade ? `read in a sandbox: ${a.sandbox.grade}` : ""].filter((s) => s !== "").join(" · "),
    ),
  );
}

const severities = ["critical", "high", "medium", "low", "info"];

export function overview(inspection: Inspection): HTMLElement {
  const a = inspection.artifact;
  const box = el("div");
  box.append(el("p", { class: "path" }, a.path));
  if (a.findings.length > 0) {
    const worst = a.findings.toSorted((x, y) => severities.indexOf(x.severity) - severities.indexOf(y.severity));
    box.append(el("h2", {}, plural(a.findings.length, "finding")), el("ul", { class: "findings" }, ...worst.map((f) =>
      el("li", { class: f.severity }, el("strong", {}, f.severity.toUpperCase()), ` ${f.rule} ${f.name}: `, el("code", {}, f.message), place(f.path, f.offset)))));
  }
  if (a.gaps.length > 0) {
    box.append(el("h2", {}, `${plural(a.gaps.length, "part")} not examined`), el("ul", { class: "findings" }, ...a.gaps.map((g) =>
      el("li", { class: "gap" }, el("strong", {}, g.rule), ` ${g.reason}`, place(g.path, g.offset)))));
  }
  if (a.findings.length + a.gaps.length === 0) {
    box.append(el("p", {}, "Nothing was found, and everything that a loader would interpret was read."));
  }
  box.append(...scores(a), ...members(inspection));
  const notes = (a.coverage?.notes ?? []).map((n) => el("li", {}, n));
  if (notes.length > 0) {
    box.append(el("h2", {}, "Not looked at"), el("ul", {}, ...notes));
  }
  return box;
}

function place(path: string, offset: number): HTMLElement {
  return el("div", { class: "place" }, offset < 0 ? path : `${path}, offset ${hex(offset)}`);
}

function scores(a: Artifact): HTMLElement[] {
  const parts = Object.entries(a.score_parts).sort((x, y) => y[1] - x[1]);
  if (parts.length === 0) {
    return [];
  }
  const rows = parts.map(([name, score]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "short" }, String(score)), el("td", {}, el("meter", { min: 0, max: 100, low: 20, high: 50, optimum: 0, value: score, "aria-label": `${name}: ${score} of 100` }))));
  return [el("h2", {}, "Threat score"), el("table", {}, el("tbody", {}, ...rows))];
}

/** More members than these are counted, not listed. */
const most = 1000;

function members(inspection: Inspection): HTMLElement[] {
  const sources = inspection.facts.filter((f) => f.kind === "source");
  if (sources.length < 2) {
    return [];
  }
  const rows = sources.slice(0, most).map((f) => el("tr", {}, el("th", { scope: "row" }, f.path), el("td", { class: "short" }, bytes(f.size ?? 0)), el("td", {}, f.value ?? "")));
  const rest = sources.length - rows.length;
  return [
    el("h2", {}, `${plural(sources.length, "file")} inside`),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Name"), el("th", { scope: "col" }, "Size"), el("th", { scope: "col", class: "short" }, "Format"))), el("tbody", {}, ...rows)),
    ...(rest > 0 ? [el("p", {}, `… and ${plural(rest, "other")}`)] : []),
  ];
}

const titles: Record<string, string> = { global: "Globals that it names", metadata: "Metadata", template: "Chat templates", licence: "Licences" };

/** Everything that a model says of itself, by kind. */
export function metadata(facts: readonly Fact[]): HTMLElement {
  const box = el("div");
  const kinds = [...new Set(facts.map((f) => f.kind))].filter((k) => k !== "tensor" && k !== "source");
  for (const kind of kinds) {
    const some = facts.filter((f) => f.kind === kind);
    const rows = some.slice(0, most).map((f) => el("tr", {}, el("th", { scope: "row" }, f.name), el("td", {}, el("pre", {}, f.value ?? ""))));
    box.append(el("h2", {}, `${titles[kind] ?? kind} (${some.length.toLocaleString("en")})`), el("table", { class: "metadata" }, el("tbody", {}, ...rows)));
    if (some.length > rows.length) {
      box.append(el("p", {}, `… and ${plural(some.length - rows.length, "other")}: secure-torch inspect shows them all.`));
    }
  }
  if (kinds.length === 0) {
    box.append(el("p", {}, "It says nothing of itself."));
  }
  return box;
}
