// run.mjs VSIX [name …]: the extension in a real VS Code. Pictures and the server's log go to dist/vscode-test.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cases } from "./cases.mjs";
import { root, start } from "./session.mjs";
import { workspace } from "./workspace.mjs";

const [vsix, ...names] = process.argv.slice(2);
const results = path.join(root, "dist", "vscode-test");
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

let passed = 0;
let failed = 0;
const chosen = Object.entries(cases).filter(([name]) => names.length === 0 || names.includes(name));
const unknown = names.filter((name) => !(name in cases));
if (unknown.length > 0) {
  throw new Error(`no case ${unknown.join(", ")}; known: ${Object.keys(cases).join(", ")}`);
}
for (let round = 1; round <= Number(process.env.RUNS ?? 1); round++) {
  for (const [name, { options = {}, run }] of chosen) {
    if (await once(name, options, run)) {
      passed++;
    } else {
      failed++;
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** One case, in an editor and a folder of its own. */
async function once(name, options, run) {
  const begun = Date.now();
  const took = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  const project = workspace();
  let session;
  let good = true;
  try {
    session = await start(project.dir, path.resolve(vsix), options);
    const shot = (as, clip) => session.page.screenshot({ path: path.join(results, `${as}.png`), ...(clip && { clip }) });
    await run({ ...project, ...session, shot });
    if (session.outside.length > 0) {
      throw new Error(`asked outside of this machine: ${[...new Set(session.outside)].join(", ")}`);
    }
    console.log(`ok    ${name} (${took()})`);
  } catch (problem) {
    good = false;
    console.log(`FAIL  ${name} (${took()}): ${problem.stack}`);
    await session?.page.screenshot({ path: path.join(results, `FAIL-${name}.png`) }).catch(() => undefined);
    writeFileSync(path.join(results, `FAIL-${name}.log`), session?.log() ?? "no session");
  }
  await session?.end().catch((problem) => console.log(`ending: ${problem}`));
  rmSync(project.dir, { recursive: true, force: true });
  return good;
}
