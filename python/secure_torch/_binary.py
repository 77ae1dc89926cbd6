"""Finds the secure-torch executable that came with this package, and runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Optional

from ._version import __version__
from ._wire import Answer, WireError
from .errors import IncompleteScanError, PolicyError, SandboxUnavailable, SecurityError, UnverifiedModelError

_NAME = "secure-torch.exe" if os.name == "nt" else "secure-torch"
_RELEASE = re.compile(r"v?\d+\.\d+\.\d+")


def _places() -> Iterator[Path]:
    """Where installers put a wheel's scripts, in the order in which ruff looks."""
    yield Path(sysconfig.get_path("scripts"))
    base = sysconfig.get_path("scripts", vars={"base": sys.base_prefix})
    yield Path(base)
    root = Path(__file__).resolve().parent.parent
    yield root / "bin"  # pip install --target
    yield root.parent / "bin"  # an editable install: the repository's own build stands in python/../bin
    if root.parent.parent.name == "lib":  # PREFIX/lib/pythonX.Y/site-packages
        yield root.parent.parent.parent / "bin"
    if os.name == "nt":
        scheme = "nt_user"
    elif sys.platform == "darwin" and sys._framework:  # type: ignore[attr-defined,unused-ignore]
        scheme = "osx_framework_user"
    else:
        scheme = "posix_user"
    yield Path(sysconfig.get_path("scripts", scheme=scheme))


def find_binary() -> str:
    """Path of the executable. SECURE_TORCH_BINARY names another one."""
    chosen = os.environ.get("SECURE_TORCH_BINARY")
    if chosen:
        if not os.path.isfile(chosen):
            raise SecurityError(f"SECURE_TORCH_BINARY names {chosen!r}, and there is no such file")
        return chosen
    seen = []
    for place in _places():
        path = place / _NAME
        if path.is_file():
            return str(path)
        seen.append(str(place))
    raise SecurityError(
        f"the {_NAME} executable of this package is in none of {', '.join(dict.fromkeys(seen))}: reinstall secure-torch, "
        "or name one in SECURE_TORCH_BINARY"
    )


def check_version(version: str) -> None:
    """Refuse a released binary of another version. Development builds are told apart by the index version alone."""
    if _RELEASE.fullmatch(version) and version.lstrip("v") != __version__:
        raise SecurityError(f"the secure-torch binary is {version}, this package {__version__}: reinstall secure-torch")


def index(fd: int, name: str, graph: str, trust: Sequence[str] = ()) -> Answer:
    """Scan the open file fd, and have its objects described when `graph` says so: loadable, always or never.

    `trust` are options that name policies and what they are told. A policy that can't be read raises PolicyError.
    """
    options = ["--fd", str(fd), "--name", name.replace("\0", "\\x00"), "--graph", graph]
    small = None if trust else _small()
    done = _started([small, *options], fd) if small else _run(["index", *options, *trust], fd)
    if done.returncode != 0:
        raise (PolicyError if trust else IncompleteScanError)(f"{name}: {_complaint(done)}")
    try:
        answer = Answer(done.stdout)
    except WireError as err:
        raise IncompleteScanError(f"{name}: {err}") from err
    check_version(str(answer.tool.get("version", "")))
    return answer


def convert(fd: int, name: str, path: str, options: list[str]) -> dict[str, Any]:
    """Write the tensors of the open file fd to path as safetensors; return what the program tells of it."""
    done = _run(["convert", "--json", "--force", "--fd", str(fd), *options, "--", name.replace("\0", "\\x00"), path], fd)
    if done.returncode != 0:
        raise SecurityError(f"{name}: {_complaint(done)}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def verify(fd: int, name: str, options: list[str]) -> dict[str, Any]:
    """Have the signature of the open file fd looked at; return what the program tells of it."""
    done = _run(["verify", "--format", "json", "--fd", str(fd), *options, "--", name.replace("\0", "\\x00")], fd)
    if done.returncode not in (0, 1):  # 1: not verified, which the output explains
        raise UnverifiedModelError(f"{name}: {_complaint(done)}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def sbom(path: str, target: str) -> None:
    """Write the SPDX document of the model at path to target."""
    done = _run(["sbom", "--output", target, "--", path])
    if done.returncode != 0:
        raise PolicyError(f"{path}: no SBOM could be written: {_complaint(done)}")


def _small() -> Optional[str]:
    """Path of secure-torch-index, which starts sooner: None where it did not come along, or another binary is asked for."""
    path = Path(__file__).parent / "bin" / _NAME.replace("secure-torch", "secure-torch-index")
    return None if os.environ.get("SECURE_TORCH_BINARY") or not os.access(path, os.X_OK) else str(path)


def _run(arguments: list[str], *fds: int) -> subprocess.CompletedProcess[bytes]:
    return _started([find_binary(), *arguments], *fds)


def _started(command: list[str], *fds: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, pass_fds=fds, check=False)


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    text = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
    if "sandbox is not available" in text:
        raise SandboxUnavailable(text)
    return text
