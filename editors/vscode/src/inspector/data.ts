// What `secure-torch inspect --format json` says. Strings in it come from the model: they are shown as
// text and never as anything else.

export interface Finding {
  rule: string;
  name: string;
  severity: string;
  path: string;
  offset: number;
  subject: string;
  message: string;
}

export interface Gap {
  rule: string;
  path: string;
  offset: number;
  reason: string;
}

export interface Fact {
  kind: string;
  path: string;
  name: string;
  value?: string;
  dtype?: string;
  shape?: number[] | null;
  size?: number;
  offset?: number;
}

export interface Artifact {
  path: string;
  formats: string[];
  verdict: string;
  threat_score: number;
  threat_level: string;
  score_parts: Record<string, number>;
  findings: Finding[];
  gaps: Gap[];
  coverage?: { notes?: string[] };
  signature?: Record<string, unknown> | null;
  sbom?: Record<string, unknown> | null;
  policy?: Record<string, unknown> | null;
  sandbox?: { grade?: string; layers?: string[] };
  size: number;
}

export interface Inspection {
  version: number;
  artifact: Artifact;
  facts: Fact[];
  /** The listing that was asked for. */
  listing?: string;
}

export type Listing = "program" | "opcodes";

/** Messages from the extension to the page. */
export type ToPage =
  | { kind: "inspection"; inspection: Inspection }
  /** The artifact once more, with what lies beside it judged: its findings and verdict may be others. */
  | { kind: "provenance"; artifact: Artifact }
  | { kind: "listing"; listing: Listing; text: string }
  | { kind: "problem"; text: string; part?: Listing | "provenance" };

/** Messages from the page to the extension. */
export type FromPage = { kind: "ready" } | { kind: "listing"; listing: Listing };

/** Checks the shape that the page relies on; throws where it is another. */
export function parseInspection(text: string): Inspection {
  const value = JSON.parse(text) as Partial<Inspection> | null;
  const a = value?.artifact as Partial<Artifact> | undefined;
  if (value?.version !== 1 || !Array.isArray(value.facts) || !Array.isArray(a?.findings) || !Array.isArray(a.gaps) || typeof a.verdict !== "string") {
    throw new Error("the program answered something else than an inspection: its version does not match the extension's");
  }
  return value as Inspection;
}

/** A message of the page's, or undefined: what a page sends is not believed. */
export function parseFromPage(value: unknown): FromPage | undefined {
  const message = value as Partial<{ kind: string; listing: string }> | null;
  if (message?.kind === "ready") {
    return { kind: "ready" };
  }
  if (message?.kind === "listing" && (message.listing === "program" || message.listing === "opcodes")) {
    return { kind: "listing", listing: message.listing };
  }
  return undefined;
}
