// The folder that the tests open: sources, a notebook, and models put together on the spot.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, truncateSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { root } from "./session.mjs";

/** A safetensors file with tensors of no content to speak of. */
export function safetensors(tensors, metadata = {}) {
  const header = { __metadata__: metadata };
  let at = 0;
  for (const { name, dtype = "F32", shape = [1] } of tensors) {
    const size = shape.reduce((a, b) => a * b, 1) * (dtype === "F16" ? 2 : 4);
    header[name] = { dtype, shape, data_offsets: [at, at + size] };
    at += size;
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  return Buffer.concat([length, Buffer.from(text), Buffer.alloc(at)]);
}

export const hostileNames = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "a\u202Eb.weight", "javascript:alert(3)", "${alert(4)}", "x".repeat(3000), "\u0000\u001b[31m.weight"];

const app = `import torch

name = "\u{1F680}"; model = torch.load("models/evil.pt")
`;

const notebook = {
  cells: ["import torch\n", 'state = torch.load("models/evil.pt")\n'].map((source, i) => ({ cell_type: "code", id: `c${i}`, execution_count: null, metadata: {}, outputs: [], source: [source] })),
  metadata: { language_info: { name: "python" }, kernelspec: { name: "python3", display_name: "Python 3", language: "python" } },
  nbformat: 4, nbformat_minor: 5,
};

export const commit = "0123456789".repeat(4);

/** A hub cache with one repository, as an earlier download left it. */
function hubCache(dir) {
  const repo = path.join(dir, "models--org--model");
  mkdirSync(path.join(repo, "refs"), { recursive: true });
  writeFileSync(path.join(repo, "refs", "main"), commit);
  mkdirSync(path.join(repo, "snapshots", commit), { recursive: true });
  writeFileSync(path.join(repo, "snapshots", commit, "config.json"), "{}");
  return dir;
}

/** A safetensors file of so many bytes, nearly all of them a hole: one tensor. */
export function sparse(file, bytes) {
  const text = JSON.stringify({ weight: { dtype: "U8", shape: [bytes], data_offsets: [0, bytes] } }).padEnd(256);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([length, Buffer.from(text)]));
  truncateSync(file, 8 + text.length + bytes);
}

export function workspace() {
  const dir = realpathSync(mkdtempSync(path.join(os.tmpdir(), "secure-torch-project-")));
  const models = path.join(dir, "models");
  mkdirSync(models);
  execFileSync(process.env.GO ?? "go", ["run", "./internal/modeltest/assemble", models, "testdata/sample/models.txtar"], { cwd: root });
  writeFileSync(path.join(dir, "app.py"), app);
  writeFileSync(path.join(dir, "watched.py"), 'import torch\n\nmodel = torch.load("models/late.pt", weights_only=True)\n');
  writeFileSync(path.join(dir, "book.ipynb"), JSON.stringify(notebook));
  const layers = Array.from({ length: 20_000 }, (_, i) => ({ name: `model.layers.${i % 40}.block${Math.floor(i / 40)}.weight`, dtype: i % 3 ? "F32" : "F16", shape: [1, 1 + (i % 40)] }));
  writeFileSync(path.join(models, "many.safetensors"), safetensors(layers, { format: "pt", author: "nobody" }));
  writeFileSync(path.join(models, "hostile.safetensors"), safetensors(hostileNames.map((name) => ({ name })), { "<b>bold</b>": "<script>alert(5)</script>" }));
  writeFileSync(path.join(dir, "pins.py"), 'from transformers import AutoModel\n\na = AutoModel.from_pretrained("org/model")\nb = AutoModel.from_pretrained("org/model")\n');
  return { dir, models, hub: hubCache(path.join(dir, ".hub")) };
}
