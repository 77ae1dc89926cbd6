import assert from "node:assert/strict";
import test from "node:test";
import type { Finding } from "../../src/inspector/data";
import { annotate } from "../../src/webview/listing";

const finding: Finding = { rule: "ST201", name: "pickle-os-system", severity: "critical", path: "evil.pt!evil/data.pkl", offset: 44, subject: "posix.system", message: "would call posix.system" };

test("opcodes are marked at the offset, in the member", () => {
  const text = "evil.pt!evil/other.pkl\n      44: REDUCE\nevil.pt!evil/data.pkl\n      14: GLOBAL posix system\n      44: REDUCE\n";
  assert.deepEqual(annotate(text, [finding], true).map((l) => l.findings.length), [0, 0, 0, 0, 1, 0]);
});

test("calls are marked in the program", () => {
  const text = "from posix import system\n_0 = system('echo pwned')\n_1 = filesystem('x')\n_2 = posix.system('y')\n";
  assert.deepEqual(annotate(text, [finding], false).map((l) => l.findings.length), [0, 1, 0, 1, 0]);
  assert.doesNotThrow(() => annotate("a(", [{ ...finding, subject: "x.((" }], false));
});
