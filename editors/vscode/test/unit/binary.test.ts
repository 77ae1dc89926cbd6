import assert from "node:assert/strict";
import test from "node:test";
import { candidates, expand, find, type Where } from "../../src/binary";

const where: Where = {
  trusted: true, path: ["/set/secure-torch", "relative/secure-torch"], importStrategy: "fromEnvironment",
  python: "/env/bin/python", searchPath: ["/usr/bin", "", ".", "bin"], extension: "/ext", platform: "linux",
};

test("the order of places", () => {
  assert.deepEqual(candidates(where).map((c) => [c.command, c.from]), [
    ["/set/secure-torch", "setting"],
    ["/env/bin/secure-torch", "environment"],
    ["/env/bin/python/bin/secure-torch", "environment"],
    ["/usr/bin/secure-torch", "PATH"],
    ["/ext/server/secure-torch", "bundled"],
  ]);
});

test("an untrusted workspace gets the bundled program, whatever its settings say", () => {
  assert.deepEqual(candidates({ ...where, trusted: false }), [{ command: "/ext/server/secure-torch", from: "bundled" }]);
});

test("useBundled leaves the environment and PATH out", () => {
  assert.deepEqual(candidates({ ...where, importStrategy: "useBundled", path: [] }), [{ command: "/ext/server/secure-torch", from: "bundled" }]);
});

test("Windows has another name for it", () => {
  const all = candidates({ ...where, platform: "win32", python: "/env" }).map((c) => c.command);
  assert.ok(all.includes("/env/Scripts/secure-torch.exe"), all.join());
});

const ours = () => Promise.resolve("secure-torch 0.1.0 linux/amd64 go1.26.8");

test("the first that can be executed", async () => {
  const { found } = await find(where, (file) => Promise.resolve(file.startsWith("/usr") || file.startsWith("/ext")), ours);
  assert.deepEqual(found, { command: "/usr/bin/secure-torch", from: "PATH" });
  assert.equal((await find(where, () => Promise.resolve(false), ours)).found, undefined);
});

test("another author's program of the same name is passed by, and so is what the settings name wrongly", async () => {
  const version = (file: string) => (file.startsWith("/env") ? Promise.resolve("usage: secure-torch [-h] {scan}") : ours());
  const { found, passed } = await find(where, (file) => Promise.resolve(!file.startsWith("/set")), version);
  assert.deepEqual(found, { command: "/usr/bin/secure-torch", from: "PATH" });
  assert.equal(passed.length, 4, passed.join("\n")); // relative; not there; and two of the environment's
  assert.match(passed[0] ?? "", /^relative.*absolute/);
  assert.match(passed[1] ?? "", /^\/set.*can't be executed/);
  assert.match(passed[2] ?? "", /^\/env\/bin\/secure-torch \(environment\) is another program.*usage/);
});

test("what may stand for a folder", () => {
  assert.equal(expand("~/bin/st", "/home/me", undefined), "/home/me/bin/st");
  assert.equal(expand("${userHome}/bin/st", "/home/me", undefined), "/home/me/bin/st");
  assert.equal(expand("${workspaceFolder}/.venv/bin/st", "/home/me", "/w$&/p"), "/w$&/p/.venv/bin/st");
  assert.equal(expand("${workspaceFolder}/st", "/home/me", undefined), "${workspaceFolder}/st"); // relative, so not taken
  assert.equal(expand("/x~/st", "/home/me", undefined), "/x~/st");
});
