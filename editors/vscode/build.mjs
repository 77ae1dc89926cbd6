// build.mjs [test]: bundles the extension and the inspector's page into dist; with test, the unit tests too.
import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
const common = { bundle: true, sourcemap: false, minify: true, legalComments: "none", logLevel: "warning" };
await build({ ...common, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js", platform: "node", target: "node20", format: "cjs", external: ["vscode"] });
await build({ ...common, entryPoints: ["src/webview/main.ts"], outfile: "dist/inspector.js", platform: "browser", target: "es2022", format: "iife" });
if (process.argv.includes("test")) {
  const tests = ["test/unit", "test/webview"].flatMap((dir) => readdirSync(dir).map((name) => `${dir}/${name}`));
  await build({ ...common, minify: false, entryPoints: tests.filter((name) => name.endsWith(".test.ts")), outdir: "dist/test", platform: "node", target: "node20", format: "cjs" });
}
