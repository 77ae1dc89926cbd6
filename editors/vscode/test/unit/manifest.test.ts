import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import test from "node:test";

interface Manifest {
  contributes: {
    commands: { command: string }[];
    menus: Record<string, { command: string }[]>;
    configuration: { properties: Record<string, { scope: string }> };
    problemMatchers: { severity: string; pattern: { regexp: string }[] }[];
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

test("one problem matcher reads each severity that check prints", () => {
  const matchers = contributes.problemMatchers.map(({ severity, pattern }) => ({ severity, head: new RegExp(pattern[0]?.regexp ?? ""), message: new RegExp(pattern[1]?.regexp ?? "") }));
  const severities = (line: string) => matchers.filter((m) => m.head.test(line)).map((m) => m.severity);
  for (const [word, severity] of Object.entries({ CRITICAL: "error", HIGH: "error", MEDIUM: "warning", LOW: "info", INFO: "info" })) {
    assert.deepEqual(severities(`a.py:1:2: ${word} ST190 load-unresolved`), [severity]);
  }
  assert.deepEqual(severities("1 files, 4 load calls: 1 critical."), []);
  const first = matchers[0]?.head.exec("src/my app.py:19:12: CRITICAL ST201 pickle-os-system");
  assert.deepEqual(first?.slice(1), ["src/my app.py", "19", "12", "ST201", "pickle-os-system"]);
  assert.equal(matchers[0]?.message.exec("  would call posix.system('echo pwned') on load — a.pt")?.[1], "would call posix.system('echo pwned') on load — a.pt");
});

test("the walkthrough's pictures are there", () => {
  for (const step of contributes.walkthroughs.flatMap((w) => w.steps)) {
    const file = step.media.image ?? step.media.markdown ?? "";
    assert.ok(existsSync(file), file);
  }
});
