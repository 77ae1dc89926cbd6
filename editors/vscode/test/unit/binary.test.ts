import assert from "node:assert/strict";
import test from "node:test";
import { candidates, find, type Where } from "../../src/binary";

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

test("the first that can be executed", async () => {
  const found = await find(where, (file) => Promise.resolve(file.startsWith("/usr") || file.startsWith("/ext")));
  assert.deepEqual(found, { command: "/usr/bin/secure-torch", from: "PATH" });
  assert.equal(await find(where, () => Promise.resolve(false)), undefined);
});
