import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import test from "node:test";

interface Manifest {
  contributes: {
    commands: { command: string }[];
    menus: Record<string, { command: string }[]>;
    configuration: { properties: Record<string, { scope: string }> };
    problemMatchers: { pattern: { regexp: string }[] }[];
    walkthroughs: { steps: { media: { image?: string; markdown?: string } }[] }[];
  };
}
const { contributes } = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;

test("every command in the manifest exists, and every one that exists is in it", () => {
  const source = readdirSync("src").filter((f) => f.endsWith(".ts")).map((f) => readFileSync(`src/${f}`, "utf8")).join("\n");
  const made = [...source.matchAll(/^ {2}on\("(\w+)"/gm)].map((m) => `secureTorch.${m[1] ?? ""}`).sort();
  assert.deepEqual(contributes.commands.map((c) => c.command).sort(), made);
  for (const item of Object.values(contributes.menus).flat()) {
    assert.ok(made.includes(item.command), item.command);
  }
});

test("every setting is used", () => {
  const source = readdirSync("src").filter((f) => f.endsWith(".ts")).map((f) => readFileSync(`src/${f}`, "utf8")).join("\n");
  for (const name of Object.keys(contributes.configuration.properties)) {
    const key = name.replace("secureTorch.", "");
    assert.ok(key === "trace.server" /* the client library's */ || new RegExp(`get(<[^>]*>)?\\("${key}"`).test(source), `${name} is in the manifest, and nothing asks for it`);
  }
});

test("the problem matcher reads what check prints", () => {
  const [head, message] = (contributes.problemMatchers[0]?.pattern ?? []).map((p) => new RegExp(p.regexp));
  const first = head?.exec("src/my app.py:19:12: CRITICAL ST201 pickle-os-system");
  assert.deepEqual(first?.slice(1), ["src/my app.py", "19", "12", "CRITICAL", undefined, "ST201", "pickle-os-system"]);
  const second = head?.exec("a.py:1:2: INFO ST190 load-unresolved");
  assert.deepEqual(second?.slice(3), ["2", undefined, undefined, "ST190", "load-unresolved"]);
  assert.equal(message?.exec("  would call posix.system('echo pwned') on load — a.pt")?.[1], "would call posix.system('echo pwned') on load — a.pt");
  assert.equal(head?.exec("1 files, 4 load calls: 1 critical."), null);
});

test("the walkthrough's pictures are there", () => {
  for (const step of contributes.walkthroughs.flatMap((w) => w.steps)) {
    const file = step.media.image ?? step.media.markdown ?? "";
    assert.ok(existsSync(file), file);
  }
});
