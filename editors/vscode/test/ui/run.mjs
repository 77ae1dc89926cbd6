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

let failed = 0;
for (const [name, { options = {}, run }] of Object.entries(cases)) {
  if (names.length > 0 && !names.includes(name)) {
    continue;
  }
  const begun = Date.now();
  const project = workspace();
  let session;
  try {
    session = await start(project.dir, path.resolve(vsix), options);
    const shot = (as, clip) => session.page.screenshot({ path: path.join(results, `${as}.png`), ...(clip && { clip }) });
    await run({ ...project, ...session, shot });
    if (session.outside.length > 0) {
      throw new Error(`asked outside of this machine: ${[...new Set(session.outside)].join(", ")}`);
    }
    console.log(`ok    ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (problem) {
    failed++;
    console.log(`FAIL  ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s): ${problem.stack}`);
    await session?.page.screenshot({ path: path.join(results, `FAIL-${name}.png`) }).catch(() => undefined);
    writeFileSync(path.join(results, `FAIL-${name}.log`), session?.log() ?? "no session");
  }
  await session?.end().catch((problem) => console.log(`ending: ${problem}`));
  rmSync(project.dir, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
