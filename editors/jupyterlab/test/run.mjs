// run.mjs: JupyterLab with jupyterlab-lsp and the settings as a user copies them, in a real browser: a file, and a notebook,
// which JupyterLab sends as one document. Nothing outside of this machine is asked. Pictures go to dist/jupyterlab-test.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium, freePort, patience, root, until } from "../../vscode/test/ui/session.mjs";
import { workspace } from "../../vscode/test/ui/workspace.mjs";

const results = path.join(root, "dist", "jupyterlab-test");
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const project = workspace();
const home = mkdtempSync(path.join(os.tmpdir(), "secure-torch-jupyterlab-"));
const config = path.join(home, "config");
mkdirSync(config);
copyFileSync(path.join(root, "editors", "jupyterlab", "jupyter_server_config.py"), path.join(config, "jupyter_server_config.py"));

const port = await freePort();
const logFile = path.join(results, "server.log");
const log = openSync(logFile, "a");
const venv = path.join(root, ".cache", "jupyterlab", "bin");
const child = spawn(path.join(venv, "jupyter-lab"), [
  "--allow-root", "--no-browser", "--ip=127.0.0.1", `--port=${port}`, "--IdentityProvider.token=", `--ServerApp.root_dir=${project.dir}`,
  "--LanguageServerManager.autodetect=False", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly",
], {
  env: { ...process.env, PATH: `${path.join(root, "bin")}:${venv}:${process.env.PATH}`, HOME: home, JUPYTER_CONFIG_DIR: config, XDG_CACHE_HOME: path.join(home, "cache") },
  stdio: ["ignore", log, log], detached: true,
});
const address = `http://127.0.0.1:${port}`;
const outside = [];
let browser;
try {
  await until("JupyterLab answers", async () => (await fetch(`${address}/api/status`).catch(() => undefined))?.ok);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1000, height: 760 } });
  await context.route((url) => url.hostname !== "127.0.0.1", (route) => {
    outside.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.on("pageerror", (error) => console.log(`page: ${error.message}`));
  await underlined(page, "app.py", ".jp-FileEditor .cm-lintRange-error");
  await underlined(page, "book.ipynb", ".jp-Notebook .jp-Cell:nth-child(2) .cm-lintRange-error");
  if (outside.length > 0) {
    throw new Error(`asked outside of this machine: ${[...new Set(outside)].join(", ")}`);
  }
  console.log("2 passed, 0 failed");
} catch (problem) {
  console.log(`FAIL ${problem.stack}\n${readFileSync(logFile, "utf8").slice(-4000)}`);
  await browser?.contexts()[0]?.pages()[0]?.screenshot({ path: path.join(results, "FAIL.png") }).catch(() => undefined);
  process.exitCode = 1;
} finally {
  await browser?.close();
  try {
    process.kill(-child.pid, "SIGTERM"); // its process group, which we made
  } catch { /* ended already */ }
  await until("JupyterLab has ended", () => child.exitCode !== null || child.signalCode !== null);
  for (const dir of [home, project.dir]) {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The call in a document is underlined, and hovering says what the model would call. */
async function underlined(page, name, selector) {
  await page.goto(`${address}/lab/tree/${name}?reset`);
  const range = page.locator(selector).first();
  await range.waitFor();
  await until("the tooltip", async () => {
    await page.mouse.move(0, 0);
    await range.hover();
    return page.locator(".cm-tooltip-lint, .cm-tooltip", { hasText: "posix.system" }).first().waitFor({ timeout: 4000 }).then(() => true, () => false);
  });
  await page.screenshot({ path: path.join(results, `${path.basename(name)}.png`) });
  console.log(`ok    ${name}`);
}
