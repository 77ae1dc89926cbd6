import assert from "node:assert/strict";
import test from "node:test";
import type { Fact } from "../../src/inspector/data";
import { squarify } from "../../src/webview/layout";
import { build, search, shape, visible } from "../../src/webview/tree";

const tensor = (name: string, size: number, dtype = "float32", dims: number[] = [size / 4]): Fact => ({ kind: "tensor", path: "m", name, size, dtype, shape: dims });
const model = build([tensor("layer.10.weight", 40), tensor("layer.2.weight", 80), tensor("layer.2.bias", 4, "float16"), tensor("head", 400, "int8", [20, 20])]);

test("a tree of names", () => {
  assert.deepEqual(visible(model, new Set()).map((n) => [n.label, n.tensors, n.size]), [["layer", 3, 124], ["head", 1, 400]]);
  const open = new Set(["layer.", "layer.2."]);
  assert.deepEqual(visible(model, open).map((n) => "·".repeat(n.level) + n.label), ["·layer", "··10", "··2", "···weight", "···bias", "·head"]);
  assert.equal(model.size, 524);
});

test("searching and sorting", () => {
  const names = (words: string, column: "name" | "size" | "dtype" | "shape", down: boolean) => search(model, words, column, down).map((n) => n.label);
  assert.deepEqual(names("", "name", false), ["head", "layer.2.bias", "layer.2.weight", "layer.10.weight"]);
  assert.deepEqual(names("", "size", true), ["head", "layer.2.weight", "layer.10.weight", "layer.2.bias"]);
  assert.deepEqual(names("WEIGHT layer.2", "name", false), ["layer.2.weight"]);
  assert.deepEqual(names("[20, 20]", "name", false), ["head"]);
  assert.deepEqual(names("float16", "name", false), ["layer.2.bias"]);
  assert.equal(shape({ ...tensor("x", 4), shape: null }), "");
});

test("hostile names", () => {
  const deep = build([tensor("a.".repeat(100_000), 4), tensor("", 4), tensor("..", 4), tensor("__proto__.x", 4), tensor("constructor", 4)]);
  assert.equal(deep.tensors, 5);
  assert.equal(search(deep, "__proto__", "name", false).length, 1);
  assert.ok(Math.max(...search(deep, "", "name", false).map((n) => n.name.length)) > 100_000, "the whole name is kept");
});

test("20,000 tensors are quick", () => {
  const many = build(Array.from({ length: 20_000 }, (_, i) => tensor(`model.layers.${i % 200}.block.${i}.weight`, i)));
  assert.equal(search(many, "", "size", true).length, 20_000);
  assert.equal(many.children[0]?.tensors, 20_000);
});

test("the treemap fills its room and nothing overlaps", () => {
  const sizes = [600, 300, 200, 100, 50, 25, 3, 0];
  const boxes = squarify(sizes, (n) => n, 800, 160);
  assert.equal(boxes.length, 7);
  const scale = (800 * 160) / sizes.reduce((a, b) => a + b);
  for (const b of boxes) {
    assert.ok(Math.abs(b.width * b.height - b.item * scale) < 1, `${b.item}: ${b.width} × ${b.height}`);
    assert.ok(b.x > -1e-6 && b.y > -1e-6 && b.x + b.width < 800.001 && b.y + b.height < 160.001);
    for (const other of boxes.filter((o) => o !== b)) {
      const apart = other.x + other.width <= b.x + 1e-6 || b.x + b.width <= other.x + 1e-6 || other.y + other.height <= b.y + 1e-6 || b.y + b.height <= other.y + 1e-6;
      assert.ok(apart, `${b.item} and ${other.item} overlap`);
    }
  }
  assert.deepEqual(squarify([0], (n) => n, 10, 10), []);
});
