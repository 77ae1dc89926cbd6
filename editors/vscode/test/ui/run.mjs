// run.mjs VSIX [name …]: the extension in a real VS Code. Pictures and the server's log go to dist/vscode-test.
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cases } from "./cases.mjs";
import { root, start } from "./session.mjs";
import { workspace } from "./workspace.mjs";

const [vsix, ...names] = process.argv.slice(2);
const results = path.join(root, "dist", "vscode-test");
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

/** What was measured: told, and never a reason to fail, for another process may have had the processor. */
const figures = [];
let passed = 0;
let failed = 0;
const chosen = Object.entries(cases).filter(([name]) => names.length === 0 || names.includes(name));
const unknown = names.filter((name) => !(name in cases));
if (unknown.length > 0) {
  throw new Error(`no case ${unknown.join(", ")}; known: ${Object.keys(cases).join(", ")}`);
}
const rounds = Number(process.env.RUNS ?? 1);
const revision = execFileSync("git", ["describe", "--always", "--dirty"], { cwd: root, encoding: "utf8" }).trim();
for (let round = 1; round <= rounds; round++) {
  for (const [name, { options = {}, run }] of chosen) {
    if (await once(round, name, options, run)) {
      passed++;
    } else {
      failed++;
    }
  }
}
for (const what of new Set(figures.map((f) => f.what))) {
  const all = figures.filter((f) => f.what === what);
  const ms = all.map((f) => f.ms).sort((a, b) => a - b);
  console.log(`time  ${what}: ${ms[0]} to ${ms.at(-1)} ms, median ${ms[Math.floor(ms.length / 2)]} (goal ${all[0].limit})`);
}
writeFileSync(path.join(results, "figures.json"), `${JSON.stringify(figures, null, 1)}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** One case, in an editor and a folder of its own. */
async function once(round, name, options, run) {
  const begun = Date.now();
  const tell = (text) => {
    console.log(text);
    appendFileSync(path.join(results, "rounds.txt"), `${new Date().toISOString()} ${revision} round ${round} of ${rounds}: ${text}\n`);
  };
  const took = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  const project = workspace();
  let session;
  let good = true;
  try {
    session = await start(project.dir, path.resolve(vsix), typeof options === "function" ? options(project) : options);
    const shot = (as, clip) => session.page.screenshot({ path: path.join(results, `${as}.png`), ...(clip && { clip }) });
    const figure = (what, ms, limit) => figures.push({ round, what, ms: Math.round(ms), limit });
    await run({ ...project, ...session, shot, figure });
    if (session.outside.length > 0) {
      throw new Error(`asked outside of this machine: ${[...new Set(session.outside)].join(", ")}`);
    }
    tell(`ok    ${name} (${took()})`);
  } catch (problem) {
    good = false;
    tell(`FAIL  ${name} (${took()}): ${problem.stack}`);
    await session?.page.screenshot({ path: path.join(results, `FAIL-${name}.png`) }).catch(() => undefined);
    writeFileSync(path.join(results, `FAIL-${name}.log`), session?.log() ?? "no session");
  }
  await session?.end().catch((problem) => console.log(`ending: ${problem}`));
  rmSync(project.dir, { recursive: true, force: true });
  return good;
}
