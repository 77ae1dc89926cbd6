// A pickle's opcodes, or the program that it amounts to, with the lines marked at which something is found.
import type { Finding } from "../inspector/data";
import { el } from "./dom";

export interface Line {
  text: string;
  findings: Finding[];
}

const opcode = /^\s*(\d+): /;

/** Joins the lines of a listing with what was found there: a member's heading stands above its lines. */
export function annotate(text: string, findings: readonly Finding[], byOffset: boolean): Line[] {
  let member = "";
  return text.split("\n").map((line) => {
    const at = opcode.exec(line);
    if (!at && line !== "" && !line.startsWith(" ") && findings.some((f) => f.path === line.replace(/:$/, ""))) {
      member = line.replace(/:$/, "");
    }
    const here = byOffset
      ? findings.filter((f) => at !== null && f.path === member && f.offset === Number(at[1]))
      : findings.filter((f) => f.subject !== "" && calls(line, f.subject));
    return { text: line, findings: here };
  });
}

/** Whether a line of the program calls a function that is named "module.name". */
function calls(line: string, subject: string): boolean {
  const name = subject.slice(subject.lastIndexOf(".") + 1);
  return line.includes(`${subject}(`) || (name !== "" && new RegExp(`(^|[^\\w.])${escape(name)}\\(`).test(line));
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** More lines than these are not put on the page. */
const most = 20_000;

export function listing(text: string, findings: readonly Finding[], byOffset: boolean): HTMLElement {
  const lines = annotate(text, findings, byOffset);
  const box = el("div", { class: "listing", tabindex: 0, role: "region", "aria-label": byOffset ? "Opcodes" : "Program" });
  const pre = el("pre");
  for (const line of lines.slice(0, most)) {
    const first = line.findings[0];
    if (first) {
      const note = line.findings.map((f) => `${f.severity} ${f.rule}: ${f.message}`).join("; ");
      pre.append(el("mark", { class: first.severity, title: note }, line.text, el("span", { class: "note" }, `  ← ${note}`)), "\n");
    } else {
      pre.append(line.text, "\n");
    }
  }
  box.append(pre);
  if (lines.length > most) {
    box.append(el("p", {}, `… and ${(lines.length - most).toLocaleString("en")} more lines: secure-torch inspect shows them all.`));
  }
  return box;
}
