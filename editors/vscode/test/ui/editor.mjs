// What a user does in VS Code.
import { until } from "./session.mjs";

/** Opens a file by its name. */
export async function open(page, name) {
  await until(`${name} is open`, async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+p");
    const box = page.locator(".quick-input-widget input");
    await box.waitFor({ state: "visible", timeout: 10_000 }).catch(() => undefined);
    await box.fill(name).catch(() => undefined);
    const row = page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first();
    await row.waitFor({ state: "visible", timeout: 5000 }).catch(() => undefined);
    await page.keyboard.press("Enter");
    return page.locator(".tab.active", { hasText: name }).first().waitFor({ timeout: 8000 }).then(() => true, () => false);
  });
}

/** Runs a command by its title. */
export async function command(page, title) {
  await page.keyboard.press("Control+Shift+p");
  const box = page.locator(".quick-input-widget input");
  await box.waitFor({ state: "visible" });
  await box.fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor();
  await page.keyboard.press("Enter");
}

/** Puts the cursor on a text of the editor. */
export async function on(page, text) {
  const span = page.locator(".monaco-editor .view-line span", { hasText: text }).last();
  await span.click();
}

/** The editor's lines, with ordinary spaces. */
export async function lines(page) {
  const all = await page.locator(".monaco-editor .view-line").allTextContents();
  return all.map((line) => line.replaceAll("\u00a0", " ")).join("\n");
}

/** Presses Ctrl+. until the menu is there: a key gets lost while a hover closes. before: what to do while it is open. */
export async function quickFix(page, title, before = async () => {}) {
  const row = page.locator(".action-widget .monaco-list-row", { hasText: title }).first();
  await until(`the action ${title}`, async () => {
    await page.keyboard.press("Control+.");
    const seen = await row.waitFor({ state: "visible", timeout: 4000 }).then(() => true, () => false);
    if (!seen) {
      await page.keyboard.press("Escape");
    }
    return seen;
  });
  await before();
  await row.click();
}

/** The document inside the webview that is seen. */
export async function webview(page) {
  return until("a webview", async () => {
    for (const frame of page.frames()) {
      if (await frame.locator("main#root header h1").count().catch(() => 0)) {
        const element = await frame.frameElement().catch(() => undefined);
        if (await element?.isVisible().catch(() => false)) {
          return frame;
        }
      }
    }
    return undefined;
  });
}
