"""Has a confined Python turn a pickled module into tensors, for st.load(sandbox=...)."""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional

from . import _wire as wire
from ._binary import find_binary
from ._source import Source, above_standard
from .errors import (
    IncompleteScanError,
    OpaqueObjectError,
    PickleExecutionError,
    SandboxUnavailable,
    UnsupportedFormatError,
)
from .report import Report

# Installed packages whose classes a module consists of. Of these exactly the modules that the file names are imported;
# what is in none of them is imported when the caller names it.
_ALLOWED = frozenset({
    "array", "collections", "copyreg", "datetime", "decimal", "enum", "fractions", "functools", "numpy", "operator",
    "pathlib", "random", "torch", "torchvision", "typing", "uuid",
})  # fmt: skip
_BUILT_IN = frozenset({"builtins", "__builtin__", "copy_reg", "_codecs"})

_PROGRAM = "_inside.py"


def named_modules(graph: wire.Graph, calls: Iterable[str]) -> set[str]:
    """Give the modules that the file's pickles name."""

    def text(node: int) -> str:
        return graph.strings[graph.values[node]].decode("utf-8", "replace")

    modules, dotted = set(), set()
    for kind, value in zip(graph.kinds, graph.values):
        if kind == wire.GLOBAL:
            module, name = text(graph.refs[value + 1]), text(graph.refs[value + 2])
            modules.add(module)
            dotted.add(f"{module}.{name}")
    modules.update(call.rpartition(".")[0] for call in calls if call not in dotted)
    return {m for m in modules if m}


def divide(modules: Iterable[str], extra: Iterable[str]) -> tuple[list[str], list[str]]:
    """Divide modules into those to import, and those that nobody has allowed."""
    named = set(modules) - _BUILT_IN
    allowed = {m for m in named if m.partition(".")[0] in _ALLOWED}
    more = set(extra)
    return sorted({"torch", "torch._utils", *allowed, *more}), sorted(named - allowed - more)


def state_tensors(source: Source, report: Report, modules: Iterable[str], extra: Iterable[str], profile: Optional[str]) -> int:
    """Unpickle the file in a confined Python; return a sealed descriptor of a safetensors file with its tensors.

    That file was written by code which the model may have taken over: it is to be scanned like any other.
    """
    imports, strange = divide(modules, extra)
    if strange:
        raise OpaqueObjectError(
            f"{source.name} has classes of {', '.join(strange[:10])}, which are not imported by themselves. If you trust the "
            f"code that is installed under these names: sandbox_imports={strange[:10]!r}",
            report,
        )
    if not hasattr(os, "memfd_create"):
        raise SandboxUnavailable("a confined Python needs Linux", report)
    result = above_standard(os.memfd_create("secure-torch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
    try:
        ran = _run(source, report, imports, list(extra), profile, result)
        report.raw["program"] = ran
        _judge(source, report, ran)
        return os.open(f"/proc/self/fd/{result}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(result)


def _run(
    source: Source, report: Report, imports: list[str], extra: list[str], profile: Optional[str], result: int
) -> dict[str, Any]:
    # Its own description of the open file: reading it here must not move the caller's position.
    given = above_standard(os.open(f"/proc/self/fd/{source.fd}", os.O_RDONLY | os.O_CLOEXEC))
    try:
        command = [find_binary(), "sandbox", "exec", "--json", "--input-fd", str(given), "--output-fd", str(result)]
        command += ["--max-output", str(2 * source.size + (64 << 20)), "--max-memory", str(4 * source.size + (4 << 30))]
        command += ["--timeout", f"{120 + source.size // (50 << 20)}s"]
        command += [f"--import={name}" for name in imports]
        if extra:  # the caller's own modules may lie where only the caller's sys.path leads
            command += [f"--path={os.path.abspath(p)}" for p in sys.path if os.path.isdir(p or ".")]
        if profile is not None:
            command += ["--profile", profile]
        how = "torch" if any(f.startswith("torch") for f in report.formats) else "pickle"
        program = Path(__file__).with_name(_PROGRAM).read_text(encoding="utf-8")
        command += ["--", sys.executable, "-c", program, how]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, pass_fds=(given, result), check=False)
    finally:
        os.close(given)
    try:
        ran: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        text = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
        raise SandboxUnavailable(f"{source.name}: no confined Python: {text}", report) from None
    return ran


def _judge(source: Source, report: Report, ran: Mapping[str, Any]) -> None:
    outcome, detail = ran.get("outcome"), ran.get("detail", "")
    if outcome == "done" and ran.get("output_limit_reached"):
        raise IncompleteScanError(f"{source.name}: what the confined Python wrote reached its limit and may be cut", report)
    if outcome == "done":
        return
    grade = ran.get("grade")
    # Without one nothing of the file was reached: a module could not be imported, before the confinement begins.
    text = f"{source.name}: {detail or outcome}" + (f" (sandbox {grade})" if grade not in (None, "off") else "")
    if outcome == "refused":
        raise SandboxUnavailable(text, report)
    if outcome == "forbidden":
        raise PickleExecutionError(f"{text}: what loading the file ran made a forbidden system call and was killed", report)
    raise IncompleteScanError(f"{text}: the confined Python ended without a result", report)


def restore(tensors: Mapping[str, Any], header: bytes) -> Any:
    """Put the state_dict together: its order, shared tensors and versions. Everything in the header is hostile."""
    try:
        about = json.loads(json.loads(header)["__metadata__"]["secure_torch.state"])
        order, ties, versions = about["order"], about["ties"], about["versions"]
        made: Any = collections.OrderedDict((str(name), tensors[ties.get(name, name)]) for name in order)
        if len(made) != len(order) or {ties.get(name, name) for name in order} != set(tensors):
            raise ValueError("names are missing")
        made._metadata = collections.OrderedDict((str(prefix), {"version": _number(n)}) for prefix, n in versions.items())
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise UnsupportedFormatError(f"the confined Python's answer contradicts itself: {err!r}") from None
    return made


def _number(n: Any) -> int:
    if type(n) is not int:
        raise ValueError(f"version {n!r}")
    return n
