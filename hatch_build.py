"""Build hook: compile the Go binary and ship it in the wheel as a script, the way ruff does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# GOOS/GOARCH of a cross build, and the platform tag of its wheel.
_CROSS_TAGS = {
    ("linux", "amd64"): "manylinux_2_17_x86_64",
    ("linux", "arm64"): "manylinux_2_17_aarch64",
    ("darwin", "amd64"): "macosx_12_0_x86_64",
    ("darwin", "arm64"): "macosx_12_0_arm64",
    ("windows", "amd64"): "win_amd64",
}

# What parses model files has the scan role alone, and neither assembly nor unsafe in its decompressors (docs/adr/0005).
_SCAN_TAGS = ["scanworker", "noasm", "nounsafe"]


class GoBinaryHook(BuildHookInterface):  # type: ignore[misc]
    """Adds the secure-torch executable to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile ./cmd/secure-torch; `version` is hatchling's name of the build kind, not ours."""
        goos, goarch = os.environ.get("GOOS"), os.environ.get("GOARCH")
        cross = bool(goos and goarch)
        suffix = ".exe" if (goos or os.name) in ("windows", "nt") else ""
        out = Path(self.directory) / "go" / f"secure-torch{suffix}"
        out.parent.mkdir(parents=True, exist_ok=True)
        static = self._compile(out, cross)
        if cross:
            platform = _CROSS_TAGS[(str(goos), str(goarch))]
        else:
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            if static and platform.startswith("linux_"):
                platform = platform.replace("linux_", "manylinux_2_17_", 1)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["shared_scripts"] = {str(out): out.name}
        build_data["force_include"][str(self._index(out))] = f"secure_torch/bin/secure-torch-index{suffix}"

    def _compile(self, out: Path, cross: bool) -> bool:
        """Build out; True when it is a static executable, which runs on any Linux of its machine."""
        go = os.environ.get("GO", "go")
        if shutil.which(go) is None:
            raise RuntimeError("secure-torch is built from source with Go 1.26 or newer, and there is no `go` on PATH")
        link = f"-s -w -X main.version={self.metadata.version}"
        tags = [*self._scan_worker(go), "grpcnotrace"]
        if cross or os.name == "nt" or os.environ.get("CGO_ENABLED") == "0":
            built = self._go(go, out, link, tags, env={"CGO_ENABLED": "0"})
            if built.returncode != 0:
                raise RuntimeError(f"go build: {built.stderr.decode(errors='replace')}")
            return True
        static = self._go(go, out, link + ' -linkmode external -extldflags "-static"', [*tags, "osusergo", "netgo"])
        if static.returncode == 0:
            return True
        # No static libc here (macOS; a distribution without the .a files): the wheel is for this machine's kind only.
        dynamic = self._go(go, out, link, tags)
        if dynamic.returncode != 0:
            raise RuntimeError(f"go build: {dynamic.stderr.decode(errors='replace')}")
        return False

    def _index(self, program: Path) -> Path:
        """Build the small program that answers st.load: it starts in a third of the time. No C is in it, so it is static."""
        out = program.with_name(program.name.replace("secure-torch", "secure-torch-index"))
        built = self._go(
            os.environ.get("GO", "go"),
            out,
            f"-s -w -X main.version={self.metadata.version}",
            _SCAN_TAGS,
            env={"CGO_ENABLED": "0"},
            package="./cmd/secure-torch-index",
        )
        if built.returncode != 0:
            raise RuntimeError(f"go build of secure-torch-index: {built.stderr.decode(errors='replace')}")
        return out

    def _scan_worker(self, go: str) -> list[str]:
        """Build the small executable of the scan role; the tags with which the next build embeds it (docs/adr/0005)."""
        target = subprocess.run([go, "env", "GOOS", "GOARCH"], capture_output=True, check=True, text=True).stdout.split()
        if target[0] != "linux" or target[1] not in ("amd64", "arm64"):
            return []
        out = Path(self.root) / "sandbox" / "twin" / f"scan-worker-{target[1]}"
        built = self._go(go, out, "-s -w", _SCAN_TAGS, env={"CGO_ENABLED": "0"}, package="./internal/worker/guest", stamp=False)
        if built.returncode != 0:
            raise RuntimeError(f"go build of the scan worker: {built.stderr.decode(errors='replace')}")
        return ["embedworker"]

    def _go(
        self,
        go: str,
        out: Path,
        ldflags: str,
        tags: list[str],
        *,
        env: dict[str, str] | None = None,
        package: str = "./cmd/secure-torch",
        stamp: bool = True,
    ) -> Any:
        flags = ["-trimpath", *([] if stamp else ["-buildvcs=false"]), "-tags", ",".join(tags), "-ldflags", ldflags]
        return subprocess.run(
            [go, "build", *flags, "-o", str(out), package],
            cwd=self.root,
            env={**os.environ, **(env or {})},
            capture_output=True,
            check=False,
        )
