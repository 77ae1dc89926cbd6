import assert from "node:assert/strict";
import test from "node:test";
import { parseFromPage, parseInspection } from "../../src/inspector/data";
import { page } from "../../src/inspector/page";

test("an inspection of another shape is refused", () => {
  const good = { version: 1, artifact: { verdict: "safe", findings: [], gaps: [] }, facts: [] };
  assert.equal(parseInspection(JSON.stringify(good)).artifact.verdict, "safe");
  for (const bad of [null, [], {}, { ...good, version: 2 }, { ...good, facts: {} }, { ...good, artifact: null }, { ...good, artifact: { verdict: 1, findings: [], gaps: [] } }]) {
    assert.throws(() => parseInspection(JSON.stringify(bad)), /version does not match/);
  }
  assert.throws(() => parseInspection("secure-torch: no such file"));
});

test("what the page sends is not believed", () => {
  assert.deepEqual(parseFromPage({ kind: "listing", listing: "opcodes" }), { kind: "listing", listing: "opcodes" });
  assert.deepEqual(parseFromPage({ kind: "ready", more: 1 }), { kind: "ready" });
  for (const bad of [null, undefined, 1, "ready", {}, { kind: "listing" }, { kind: "listing", listing: "../../etc" }, { kind: "run" }]) {
    assert.equal(parseFromPage(bad), undefined);
  }
});

test("the page allows its own two files and nothing else", () => {
  const text = page("https://csp.example", "https://x/inspector.js", "https://x/inspector.css");
  const policy = /content="(default-src[^"]*)"/.exec(text)?.[1] ?? "";
  const nonce = /nonce="([^"]+)"/.exec(text)?.[1] ?? "";
  assert.equal(policy, `default-src 'none'; style-src https://csp.example; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`);
  assert.equal(Buffer.from(nonce, "base64").length, 16);
  assert.notEqual(text, page("https://csp.example", "https://x/inspector.js", "https://x/inspector.css"));
});
