import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { command, lines, on, open, quickFix, webview } from "./editor.mjs";
import { axe, descendants, until } from "./session.mjs";
import { commit, hostileNames, sparse } from "./workspace.mjs";

const squiggle = ".monaco-editor .squiggly-error";

/** A server's process below code-server. */
const servers = (child) => descendants(child.pid, "secure-torch", "lsp");

async function mainJob({ page, dir, shot }) {
  await open(page, "app.py");
  await page.locator(squiggle).first().waitFor();
  await on(page, "load");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+i");
  const hover = page.locator(".monaco-hover", { hasText: "posix.system" });
  await hover.first().waitFor();
  await shot("mainJob", { x: 0, y: 0, width: 1000, height: 430 });
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Shift+m");
  const problem = page.locator(".markers-panel .monaco-list-row", { hasText: "ST201" });
  await problem.first().waitFor();
  assert.match(await problem.first().textContent(), /posix\.system.*secure-torch/);
  await page.keyboard.press("Control+Shift+m");
  await on(page, "load"); // an editor that loses the focus before it has asked for its lenses asks when it has it again
  await page.locator(".codelens-decoration", { hasText: "unsafe" }).first().waitFor();
  await quickFix(page, "Load with st.load");
  await until("the edit", async () => (await lines(page)).includes('model = st.load("models/evil.pt")'));
  await page.locator(squiggle).first().waitFor({ state: "detached" });
  await page.keyboard.press("Control+s");
  const want = 'import torch\nimport secure_torch as st\n\nname = "\u{1F680}"; model = st.load("models/evil.pt")\n';
  await until("the file is saved", () => readFileSync(path.join(dir, "app.py"), "utf8").includes("st.load"));
  assert.equal(readFileSync(path.join(dir, "app.py"), "utf8"), want);
}

/** The pictures of README.md, squiggle and fix: media has copies of them. */
async function pictures({ page, dir, shot }) {
  writeFileSync(path.join(dir, "app.py"), 'import torch\n\nstate = torch.load("models/evil.pt")\nmodel = build(state["config"], state["weights"])\n');
  await open(page, "app.py");
  await page.locator(squiggle).first().waitFor();
  await page.locator(".codelens-decoration", { hasText: "unsafe" }).first().waitFor();
  await page.keyboard.press("Control+b"); // without the list of files
  await on(page, "load");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+i");
  await page.locator(".monaco-hover", { hasText: "posix.system" }).first().waitFor();
  await shot("squiggle", { x: 0, y: 0, width: 870, height: 400 });
  await page.keyboard.press("Escape");
  await quickFix(page, "Load with st.load", () => shot("fix", { x: 0, y: 0, width: 870, height: 204 }));
  await until("the edit", async () => (await lines(page)).includes('state = st.load("models/evil.pt")'));
  await page.locator(squiggle).first().waitFor({ state: "detached" });
}

/** The extension comes while the editor is open with a source in it: what a user who installs it waits for. */
async function installed({ page, install, figure, shot }) {
  await open(page, "app.py");
  await page.locator(".monaco-editor .view-line", { hasText: "torch.load" }).first().waitFor();
  await page.waitForLoadState("networkidle");
  const begun = Date.now();
  install();
  const unpacked = Date.now();
  await page.locator(squiggle).first().waitFor();
  figure("install of the .vsix, until it is unpacked", unpacked - begun, "none");
  figure("from there to the first squiggle", Date.now() - unpacked, 3000);
  await command(page, "Show Running Extensions");
  const rows = page.locator(".monaco-list-row", { hasText: /Activation: \d+ms/ });
  await rows.first().waitFor();
  await rows.first().hover();
  const said = await until("an activation time", async () => { // the slowest stand first, and only what is seen exists
    await page.mouse.wheel(0, 140);
    const all = await rows.allTextContents();
    return /Activation: (\d+)ms/.exec(all.find((text) => text.includes("secure-torch")) ?? "");
  });
  figure("activation of the extension, as VS Code says", Number(said[1]), 150);
  await shot("running");
}

/** All safe fixes on saving, as a user asks for in his settings. */
async function fixAll({ page, dir }) {
  await open(page, "pins.py");
  const pinned = `, revision="${commit}")`;
  await until("the fixes are saved", async () => {
    await on(page, "from_pretrained");
    await page.keyboard.press("Control+End");
    await page.keyboard.type("#"); // something to save
    await page.keyboard.press("Control+s");
    return until("this time", () => readFileSync(path.join(dir, "pins.py"), "utf8").includes(pinned), 5000).catch(() => false);
  });
  const lines = readFileSync(path.join(dir, "pins.py"), "utf8").split("\n");
  assert.equal(lines[2], `a = AutoModel.from_pretrained("org/model"${pinned}`);
  assert.equal(lines[3], `b = AutoModel.from_pretrained("org/model"${pinned}`);
}

/** 5 GB, of which only the header is read: beside a small file of the same kind, and by the program alone. */
async function large({ page, models, child, figure }) {
  const opened = async (name) => {
    const begun = Date.now();
    await open(page, name);
    await (await webview(page)).locator(".verdict").first().waitFor();
    return Date.now() - begun;
  };
  sparse(path.join(models, "small.safetensors"), 64);
  sparse(path.join(models, "large.safetensors"), 5 * 2 ** 30);
  await opened("hostile.safetensors"); // the first one brings the webview's own files
  const small = await opened("small.safetensors");
  const took = await opened("large.safetensors");
  figure("inspector of 5 GB, open to verdict, with the keys of this test", took, "none");
  figure("the same of 64 bytes", small, "none");
  figure("what 5 GB take longer than 64 bytes", took - small, 300);
  const [server] = servers(child);
  const program = `/proc/${server}/exe`;
  const begun = Date.now();
  const facts = JSON.parse(execFileSync(program, ["inspect", "--format", "json", "--", path.join(models, "large.safetensors")]));
  figure("the program's inspect of 5 GB, from its start to its end", Date.now() - begun, 300);
  assert.ok(JSON.stringify(facts).includes("5368709120"));
  assert.ok(statSync(path.join(models, "large.safetensors")).blocks * 512 < 2 ** 20, "the hole was filled");
}

/** A model that comes, and one that is replaced while the editor looks at the source. */
async function watching({ page, models }) {
  await open(page, "watched.py");
  const late = path.join(models, "late.pt");
  await page.locator(".monaco-editor .view-line", { hasText: "late.pt" }).first().click(); // the focus: without it no lenses are asked for
  copyFileSync(path.join(models, "good.pt"), late);
  await page.locator(".codelens-decoration", { hasText: "safe" }).first().waitFor();
  assert.equal(await page.locator(squiggle).count(), 0);
  copyFileSync(path.join(models, "evil.pt"), `${late}.part`);
  renameSync(`${late}.part`, late);
  await page.locator(squiggle).first().waitFor();
}

async function notebook({ page, shot }) {
  await open(page, "book.ipynb");
  const cell = page.locator(".notebookOverlay .monaco-list-row .monaco-editor .squiggly-error");
  await cell.first().waitFor();
  await shot("notebook");
}

/** The server ends at once, and another takes its place. */
async function crash({ page, child }) {
  await open(page, "app.py");
  await page.locator(squiggle).first().waitFor();
  const [first] = await until("a server", () => (servers(child).length > 0 ? servers(child) : undefined));
  process.kill(first, "SIGKILL");
  await until("another server", () => servers(child).some((pid) => pid !== first));
  await page.locator(".monaco-editor .view-line", { hasText: "import" }).first().click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type('other = torch.load("models/evil.pt")');
  await until("a second squiggle", async () => (await page.locator(squiggle).count()) >= 2);
  await command(page, "secure-torch: Restart the Server");
  await until("a third server", () => servers(child).length === 1 && !servers(child).includes(first));
}

async function missing({ page, shot }) {
  await page.locator(".notification-toast", { hasText: "was not found" }).first().waitFor(); // the key that opens a file hides it
  await shot("missing");
}

/** In a folder that nobody trusts: the bundled program, and no other, whatever the folder's settings say. */
async function untrusted({ page, dir, child, shot }) {
  await open(page, "app.py");
  await page.locator(squiggle).first().waitFor();
  const [pid] = servers(child);
  assert.match(readFileSync(`/proc/${pid}/cmdline`, "utf8"), /extensions\/secure-torch[^/]*\/server\/secure-torch/);
  await open(page, "evil.pt");
  await (await webview(page)).locator(".verdict.unsafe").waitFor();
  await command(page, "Scan with secure-torch"); // no task, for which VS Code would ask to trust the folder
  await page.locator(".view-line", { hasText: /Verdict:.NOT.SAFE/ }).first().waitFor();
  await shot("untrusted");
  assert.ok(existsSync(path.join(dir, ".other", "secure-torch")) && !existsSync(path.join(dir, ".other", "ran")), "a program of the folder's was started");
}

/** What axe-core objects to, once the theme's colours are there: they come a moment after the page. */
async function accessible(frame) {
  await frame.evaluate(axe);
  let found = [];
  await until("no objections", async () => {
    const { violations } = await frame.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).slice(0, 3).join(" | ")}`);
    return found.length === 0;
  }, 15_000).catch(() => undefined);
  return found;
}

async function tab(frame, title) {
  await frame.locator('[role="tab"]', { hasText: title }).click();
}

async function inspector({ page, shot, models }) {
  await open(page, "evil.pt");
  const evil = await webview(page);
  await evil.locator(".verdict.unsafe", { hasText: "UNSAFE" }).waitFor();
  assert.match(await evil.locator(".findings").textContent(), /posix\.system\('echo pwned'\)/);
  assert.deepEqual(await accessible(evil), []);
  await tab(evil, "What it would run");
  assert.match(await evil.locator("mark.critical").textContent(), /system\('echo pwned'\).*ST201/);
  await shot("inspector", { x: 0, y: 0, width: 1000, height: 430 });
  await tab(evil, "Opcodes");
  assert.match(await evil.locator("mark.critical").textContent(), /44: REDUCE/);
  assert.deepEqual(await accessible(evil), []);
  copyFileSync(path.join(models, "good.pt"), path.join(models, "evil.pt")); // the file changes under the inspector
  await (await webview(page)).locator(".verdict:not(.unsafe)").waitFor();
}

/** The inspector in a theme that VS Code knows to be of this kind. */
const themed = (theme, kind) => ({
  options: { theme },
  run: async (session) => {
    await inspector({ ...session, shot: (as, clip) => session.shot(`${as}-${kind}`, clip) });
    assert.equal(await (await webview(session.page)).locator(`body.${kind}`).count(), 1);
  },
});

async function tensors({ page, shot }) {
  await open(page, "many.safetensors");
  const frame = await webview(page);
  await tab(frame, "20,000 tensors");
  await frame.locator('.count', { hasText: "20,000 tensors" }).waitFor();
  assert.ok((await frame.locator(".spacer .row").count()) < 100, "rows that nobody sees exist");
  await frame.locator(".grid").focus();
  for (let i = 0; i < 5; i++) { // the first group, and what is in it
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
  }
  await shot("tensors", { x: 0, y: 0, width: 1000, height: 760 });
  await frame.locator('input[type="search"]').fill("layers.7. block3.");
  await frame.locator(".count", { hasText: "1 tensor of 20,000" }).waitFor();
  await frame.locator('input[type="search"]').fill("");
  await frame.locator(".head .size button").click();
  await until("the largest first", async () => /40/.test(await frame.locator(".spacer .row").first().locator(".shape").textContent()));
  await frame.locator(".grid").focus();
  await page.keyboard.press("End");
  await frame.locator(".spacer .row.active").waitFor();
  assert.equal(await frame.locator(".spacer .row.active").getAttribute("aria-rowindex"), "20001");
  assert.deepEqual(await accessible(frame), []);
}

async function hostile({ page, shot }) {
  const dialogs = [];
  page.on("dialog", (dialog) => { dialogs.push(dialog.message()); void dialog.dismiss(); });
  await open(page, "hostile.safetensors");
  const frame = await webview(page);
  await tab(frame, "tensor");
  const names = (await frame.locator(".spacer .row .name").allTextContents()).join("\n");
  assert.ok(names.includes(hostileNames[0]), names);
  assert.ok(!/[\u202a-\u202e\u0000]/.test(names), "a control character reached the page");
  await shot("hostile");
  await tab(frame, "Metadata");
  assert.match(await frame.locator("main").textContent(), /<script>alert\(5\)<\/script>/);
  assert.equal(await frame.locator("main img, main script, main b").count(), 0);
  assert.deepEqual(dialogs, []);
  assert.deepEqual(await accessible(frame), []);
}

/** A signature with a key and a bill of materials, as the program makes them; then the file is another. */
async function provenance({ page, shot, models, child }) {
  await open(page, "app.py"); // a server, whose program signs
  const [server] = await until("a server", () => (servers(child).length > 0 ? servers(child) : undefined));
  const program = `/proc/${server}/exe`;
  const model = path.join(models, "good.pt");
  const key = path.join(models, "key.pem");
  writeFileSync(key, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  execFileSync(program, ["sign", model, "--key", key]);
  execFileSync(program, ["sbom", model, "--format", "cyclonedx", "-o", `${model}.cdx.json`]);
  await open(page, "good.pt");
  const frame = await webview(page);
  await tab(frame, "Signature and SBOM");
  await frame.locator(".signature", { hasText: "could not be verified" }).waitFor();
  assert.match(await frame.locator(".signature").textContent(), /Signed bykey hint [0-9a-f]{64}/);
  assert.match(await frame.locator(".sbom").textContent(), /CycloneDX-1\.\d.*Names this file's SHA-256yes/);
  await shot("provenance");
  assert.deepEqual(await accessible(frame), []);
  await tab(frame, "Overview");
  await frame.locator(".findings", { hasText: "ST305" }).waitFor(); // it came after the verdict, and is among the findings
  copyFileSync(path.join(models, "evil.pt"), model);
  await (await webview(page)).locator(".verdict.unsafe").waitFor();
  await tab(await webview(page), "Signature and SBOM");
  await (await webview(page)).locator(".sbom", { hasText: "does not name this file" }).waitFor();
}

/** Other suffixes open in the inspector too; what it is told of a file that is gone, and the menu of the explorer. */
async function suffixes({ page, models, shot }) {
  for (const name of ["pytorch_model.bin", "weights.npy", "weights.npz", "weights.h5"]) {
    copyFileSync(path.join(models, "good.pt"), path.join(models, name));
    await open(page, name);
    await (await webview(page)).locator("h1", { hasText: name }).waitFor();
    await (await webview(page)).locator(".verdict").waitFor();
  }
  rmSync(path.join(models, "weights.h5"));
  await (await webview(page)).locator(".verdict.error").waitFor();
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "evil.pt" }).click({ button: "right" });
  const entry = page.locator(".monaco-menu .action-label", { hasText: "Scan with secure-torch" });
  await entry.waitFor();
  await shot("menu");
  await entry.click();
  await page.locator(".terminal-wrapper, .terminal-group").first().waitFor(); // the task's
}

/** A program of another author's with the same name, one that does not answer, and one that is not there: none is used, and
 * the user is told of each. */
async function foreign({ page, dir, child, shot }) {
  const toast = page.locator(".notification-toast", { hasText: "is another program" });
  await toast.first().waitFor();
  assert.match(await toast.first().textContent(), /other\/secure-torch.*not this one.*can't be executed.*is used instead/);
  await shot("foreign");
  await open(page, "app.py");
  await page.locator(squiggle).first().waitFor();
  const [pid] = servers(child);
  assert.match(readFileSync(`/proc/${pid}/cmdline`, "utf8"), /server\/secure-torch/);
  assert.ok(existsSync(path.join(dir, ".other", "ran")), "it was not even asked for its version");
}

/** The setting that has the server look at nothing but what is open. */
async function settings({ page, dir }) {
  await open(page, "watched.py");
  await open(page, "evil.pt"); // the explorer shows the folder's files
  await (await webview(page)).locator(".verdict.unsafe").waitFor();
  const badge = page.locator(".explorer-folders-view .monaco-list-row", { hasText: /evil\.pt$/ }).locator(".monaco-icon-label");
  const rows = await badge.evaluateAll((all) => all.map((e) => `${e.getAttribute("aria-label")} ${getComputedStyle(e, "::after").content}`));
  assert.ok(rows.length > 0 && rows.every((r) => !r.includes("✗")), rows.join());
  mkdirSync(path.join(dir, ".vscode"));
  writeFileSync(path.join(dir, ".vscode", "settings.json"), '{ "secureTorch.workspaceScan": "models" }');
  await until("the badge", async () => (await badge.evaluateAll((all) => all.map((e) => getComputedStyle(e, "::after").content))).some((c) => c.includes("✗")));
}

/** A workspace of two folders, which have models of the same name, and its file. */
function folders({ dir, models }) {
  for (const [name, model] of [["first", "good.pt"], ["second", "evil.pt"], ["third", "evil.pt"]]) {
    const folder = path.join(dir, name);
    mkdirSync(folder);
    copyFileSync(path.join(models, model), path.join(folder, `${name === "third" ? "late" : "model"}.pt`));
    writeFileSync(path.join(folder, `${name}.py`), 'import torch\n\nmodel = torch.load("model.pt")\nother = torch.load("model.pt", weights_only=True)\n');
  }
  const file = path.join(dir, "two.code-workspace");
  writeFileSync(file, JSON.stringify({ folders: [{ path: "first" }, { path: "second" }] }));
  return { workspace: file };
}

/** Each folder's sources are beside its own models; a folder that comes is looked at. */
async function multiRoot({ page, dir }) {
  await open(page, "second.py");
  await page.locator(squiggle).first().waitFor();
  await on(page, "other");
  await page.locator(".codelens-decoration", { hasText: "unsafe" }).first().waitFor();
  await open(page, "first.py");
  await on(page, "other");
  await page.locator(".codelens-decoration", { hasText: "safe" }).first().waitFor();
  assert.equal(await page.locator(squiggle).count(), 0);
  assert.equal(await page.locator(".codelens-decoration", { hasText: "unsafe" }).count(), 0);
  writeFileSync(path.join(dir, "two.code-workspace"), JSON.stringify({ folders: [{ path: "first" }, { path: "second" }, { path: "third" }] }));
  const rows = page.locator(".explorer-folders-view .monaco-list-row");
  await rows.filter({ hasText: "third" }).first().waitFor();
  const model = rows.filter({ hasText: "late.pt" }).locator(".monaco-icon-label").first();
  await until("the third folder's files", async () => { // a folder that comes is open or closed, as VS Code likes
    await page.locator('.explorer-folders-view .monaco-list-row[aria-expanded="false"]', { hasText: "third" }).click({ timeout: 2000 }).catch(() => undefined);
    return model.isVisible();
  });
  await until("the badge of a model in the third folder", async () => (await model.evaluate((e) => getComputedStyle(e, "::after").content)).includes("✗"));
}

/** The task of one folder out of two: each problem with its severity, and where it is. */
async function task({ page, shot }) {
  await open(page, "first.py"); // VS Code asks for tasks once, and waits no longer than five seconds for an extension to start
  await on(page, "other");
  await page.locator(".codelens-decoration", { hasText: "safe" }).first().waitFor();
  const entry = (text) => page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first();
  await page.keyboard.press("Control+Shift+p");
  await page.locator(".quick-input-widget input").fill(">Tasks: Run Task");
  await page.locator('.quick-input-list .monaco-list-row[aria-label^="Tasks: Run Task"]').or(entry(/^\s*Tasks: Run Task\s*$/)).first().click(); // it stands below others of nearly the same name
  await entry("secure-torch").click();
  await entry("check second").click();
  const row = (text) => page.locator(".markers-panel .monaco-list-row", { hasText: text });
  await page.locator(".terminal-wrapper, .terminal-group").first().waitFor();
  await command(page, "Problems: Focus on Problems View");
  await row("pickle-os-system").first().waitFor();
  await shot("task");
  assert.match(await row("pickle-os-system").first().textContent(), /secure-torch.*ST201.*Ln 3, Col 9/);
  assert.equal(await row("pickle-os-system").first().locator(".codicon-error").count(), 1);
  assert.equal(await row("torch-load-unguarded").first().locator(".codicon-warning").count(), 1);
  assert.equal(await row("second.py").count(), 1);
  await row("pickle-os-system").first().dblclick();
  await page.locator(".tab.active", { hasText: "second.py" }).first().waitFor();
  await page.locator(squiggle).first().waitFor();
}

/** Another program that has this one's name. */
function others(dir) {
  const file = path.join(dir, ".other", "secure-torch");
  mkdirSync(path.dirname(file));
  writeFileSync(file, "#!/bin/sh\necho ran >\"${0%/*}/ran\"\necho 'not this one'\n");
  chmodSync(file, 0o755);
  return file;
}

/** A folder's own settings that name a program. */
function pointTo(dir, program) {
  mkdirSync(path.join(dir, ".vscode"));
  writeFileSync(path.join(dir, ".vscode", "settings.json"), JSON.stringify({ "secureTorch.path": [program], "secureTorch.importStrategy": "fromEnvironment" }));
}

export const cases = {
  pictures: { options: { settings: { "window.commandCenter": false, "workbench.activityBar.location": "hidden", "workbench.layoutControl.enabled": false, "workbench.statusBar.visible": false, "editor.fontSize": 16, "breadcrumbs.enabled": false } }, run: pictures },
  mainJob: { run: mainJob },
  installed: { run: installed, options: { later: true } },
  fixAll: { run: fixAll, options: ({ hub }) => ({ env: { HF_HUB_CACHE: hub }, settings: { "[python]": { "editor.codeActionsOnSave": { "source.fixAll.secureTorch": "explicit" } } } }) },
  large: { run: large },
  watching: { run: watching },
  notebook: { run: notebook },
  crash: { run: crash },
  missing: { run: missing, options: { env: { PATH: "/nonexistent" }, change: (extension) => rmSync(path.join(extension, "server"), { recursive: true }) } },
  untrusted: { run: untrusted, options: ({ dir }) => { pointTo(dir, others(dir)); return { trusted: false }; } },
  inspector: { run: inspector },
  inspectorLight: themed("Default Light Modern", "vscode-light"),
  inspectorDark: themed("Default Dark Modern", "vscode-dark"),
  inspectorContrast: themed("Default High Contrast", "vscode-high-contrast"),
  tensors: { run: tensors },
  hostile: { run: hostile },
  provenance: { run: provenance },
  suffixes: { run: suffixes },
  foreign: { run: foreign, options: ({ dir }) => ({ machine: { "secureTorch.path": [others(dir), "/nonexistent/secure-torch"] } }) },
  multiRoot: { run: multiRoot, options: folders },
  task: { run: task, options: (project) => ({ ...folders(project), settings: { "secureTorch.workspaceScan": "off" } }) }, // its problems alone
  settings: { run: settings, options: { settings: { "secureTorch.workspaceScan": "off" } } },
};
