// package.mjs [TARGET … | all] [--binary FILE]: builds the extension and packs one .vsix for each target, with the
// program in it, into dist. Without a target: for this machine. --binary takes a program that is built already.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";

const targets = {
  "linux-x64": ["linux", "amd64"],
  "linux-arm64": ["linux", "arm64"],
  "darwin-x64": ["darwin", "amd64"],
  "darwin-arm64": ["darwin", "arm64"],
  "win32-x64": ["windows", "amd64"],
  "win32-arm64": ["windows", "arm64"],
};

const here = import.meta.dirname;
const root = path.join(here, "..", "..");
const { version } = JSON.parse(readFileSync(path.join(here, "package.json"), "utf8"));
const args = process.argv.slice(2);
const at = args.indexOf("--binary");
const binary = at >= 0 ? path.resolve(args.splice(at, 2)[1]) : undefined;
const chosen = args.length === 0 ? [`${process.platform}-${process.arch}`] : args[0] === "all" ? Object.keys(targets) : args;

const go = (flags, env) => execFileSync(process.env.GO ?? "go", ["build", "-trimpath", ...flags], { cwd: root, env: { ...process.env, ...env }, stdio: "inherit" });

// The program as releases have it: static, and without cgo where it is built for another machine.
function build(goos, goarch, out) {
  const link = `-s -w -X main.version=${version}`;
  const tags = ["grpcnotrace"];
  if (goos === "linux") {
    // The small executable of the scan role, which the tag has the second build embed (docs/adr/0005).
    go(["-buildvcs=false", "-tags", "scanworker,noasm,nounsafe", "-ldflags", "-s -w", "-o", `sandbox/twin/scan-worker-${goarch}`, "./internal/worker/guest"], { CGO_ENABLED: "0", GOOS: goos, GOARCH: goarch });
    tags.push("embedworker");
  }
  const native = goos === "linux" && process.platform === "linux" && goarch === (process.arch === "x64" ? "amd64" : process.arch);
  const how = native
    ? { flags: ["-tags", [...tags, "osusergo", "netgo"].join(), "-ldflags", `${link} -linkmode external -extldflags "-static"`], env: {} }
    : { flags: ["-tags", tags.join(), "-ldflags", link], env: { CGO_ENABLED: "0", GOOS: goos, GOARCH: goarch } };
  go(["-o", out, ...how.flags, "./cmd/secure-torch"], how.env);
}

process.chdir(here);
execFileSync(process.execPath, ["build.mjs"], { stdio: "inherit" });
const packed = path.join(root, "dist", "vscode");
mkdirSync(packed, { recursive: true });
const texts = ["LICENSE", "NOTICE"];
texts.forEach((name) => copyFileSync(path.join(root, name), name));
const most = 25_000_000; // bytes of a .vsix, as released
for (const target of chosen) {
  const system = targets[target];
  if (!system) {
    throw new Error(`no target ${target}; known: ${Object.keys(targets).join(", ")}`);
  }
  rmSync("server", { recursive: true, force: true });
  mkdirSync("server");
  const program = path.join(here, "server", system[0] === "windows" ? "secure-torch.exe" : "secure-torch");
  if (binary) {
    copyFileSync(binary, program);
  } else {
    build(...system, program);
  }
  chmodSync(program, 0o755);
  const out = path.join(packed, `secure-torch-${target}-${version}.vsix`);
  execFileSync(process.execPath, [path.join("node_modules", "@vscode", "vsce", "vsce"), "package", "--no-dependencies", "--no-rewrite-relative-links", "--target", target, "--out", out], { stdio: "inherit" });
  const { size } = statSync(out);
  console.log(`${path.basename(out)}: ${size} bytes`);
  if (!binary && size > most) {
    throw new Error(`${out} has ${size} bytes, more than ${most}`);
  }
}
texts.forEach((name) => rmSync(name));
