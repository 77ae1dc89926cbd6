// Who signed a model, and what its bill of materials says. Both lie beside it, and both are what somebody claims.
import type { Artifact } from "../inspector/data";
import { el } from "./dom";

type Section = Record<string, unknown> | null | undefined;

/** A line of a panel's table. */
export interface Row {
  title: string;
  text: string;
}

const says: Record<string, Record<string, string>> = {
  signature: {
    none: "Nobody signed it: no signature lies beside it.",
    valid: "Signed, and nothing says by whom it should be.",
    verified: "Signed by somebody whom your trust policy names.",
    unverified: "There is a signature, which could not be verified.",
    invalid: "The signature is not one of this file.",
  },
  sbom: {
    none: "No bill of materials lies beside it.",
    valid: "A bill of materials lies beside it.",
    verified: "A signed bill of materials lies beside it.",
    unverified: "A bill of materials lies beside it, which could not be verified.",
    invalid: "There is a bill of materials beside it which can't be one.",
    unbound: "A bill of materials lies beside it, and does not name this file: it may be another's.",
  },
};

const titles: Record<string, string> = {
  message: "Why", signer: "Signed by", issuer: "Vouched for by", signed_at: "Signed at", bundle: "Signature file", method: "Signed with", kind: "Signed",
  log: "Transparency log", log_index: "Entry in the log", predicate: "Statement", fingerprint: "Fingerprint", files: "Signed files", changed_files: "Changed since",
  missing_files: "Missing", unsigned_files: "Not signed", ignored_files: "Left out by the signer", trust_rule: "Rule of the trust policy", repository: "Repository",
  workflow: "Workflow", document: "Document", format: "Format", bound: "Names this file's SHA-256", embedded: "Lies in the model itself", aiProfile: "",
};

/** More lines than these are counted, not shown. */
const most = 500;

/** What a section says, one line for each value: a value inside of others is named with them. */
export function rows(value: unknown, title = "", depth = 0): Row[] {
  if (value === null || value === undefined || value === "" || depth > 6) {
    return [];
  }
  if (Array.isArray(value)) {
    return value.flatMap((v: unknown) => rows(v, title, depth + 1));
  }
  if (typeof value === "object") {
    return Object.entries(value).flatMap(([key, v]) => rows(v, [title, titles[key] ?? words(key)].filter((t) => t !== "").join(", "), depth + 1));
  }
  const text = value === true ? "yes" : value === false ? "no" : typeof value === "string" ? value : JSON.stringify(value);
  return [{ title: shown(title), text: shown(text) }];
}

/** "baseModels" as people write it. */
function words(key: string): string {
  const spaced = key.replaceAll(/[_-]+/g, " ").replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Control, invisible and bidirectional characters as escapes: who writes a document chooses what is in it. */
function shown(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function section(title: string, kind: string, value: Section): HTMLElement {
  const state = typeof value?.["state"] === "string" ? value["state"] : "not checked";
  const sentence = kind === "sbom" && state === "valid" && value?.["bound"] === false ? "unbound" : state;
  const rest = Object.entries(value ?? {}).filter(([key]) => !["state", "code", "present"].includes(key));
  const all = state === "none" || state === "not checked" ? [] : rows(Object.fromEntries(rest));
  const lines = all.slice(0, most).map((r) => el("tr", {}, el("th", { scope: "row" }, r.title), el("td", {}, r.text)));
  return el(
    "section",
    { class: kind },
    el("h2", {}, title),
    el("p", { class: `state ${["invalid", "unbound"].includes(sentence) ? "problem" : ""}` }, says[kind]?.[sentence] ?? `${state}.`),
    lines.length > 0 ? el("table", {}, el("tbody", {}, ...lines)) : undefined,
    all.length > most ? el("p", {}, `… and ${(all.length - most).toLocaleString("en")} more`) : undefined,
  );
}

/** The panels on a model's signature and bill of materials; without an artifact they are still being judged, or can't be. */
export function provenance(a: Artifact | undefined, problem: string | undefined): HTMLElement {
  if (!a) {
    return el("div", {}, problem === undefined ? el("p", { role: "status" }, "Reading the file for its signature …") : el("p", { class: "problem", role: "alert" }, problem));
  }
  return el(
    "div",
    {},
    section("Signature", "signature", a.signature),
    section("Bill of materials", "sbom", a.sbom),
    el("p", { class: "facts" }, "Judged by your own trust policy; secure-torch verify and secure-torch sbom tell more."),
  );
}
