import assert from "node:assert/strict";
import test from "node:test";
import { rows } from "../../src/webview/provenance";

test("a line for each value, named as people say it", () => {
  const sbom = { document: "m.cdx.json", bound: false, aiProfile: { licenses: ["MIT", "Apache-2.0"], baseModels: [], trainingDatasets: [{ name: "d", license: "" }] }, digests: null };
  assert.deepEqual(rows(sbom), [
    { title: "Document", text: "m.cdx.json" },
    { title: "Names this file's SHA-256", text: "no" },
    { title: "Licenses", text: "MIT" },
    { title: "Licenses", text: "Apache-2.0" },
    { title: "Training datasets, Name", text: "d" },
  ]);
});

test("what a document says neither hides nor turns around", () => {
  assert.deepEqual(rows({ name: "a\u202eb\u0000\u200bc" }), [{ title: "Name", text: "a\\u202eb\\u0000\\u200bc" }]);
  let deep: unknown = "x";
  for (let i = 0; i < 10_000; i++) {
    deep = { a: deep };
  }
  assert.deepEqual(rows(deep), []);
});
