"""st.load and st.scan."""

from __future__ import annotations

import numbers
import os
from collections.abc import Sequence
from enum import Enum
from typing import Any, Optional

from . import _binary, _confined, provenance
from ._rebuild import Broken, File, Rebuilder
from ._rebuild_torch import Misplaced, Tensors
from ._source import FileLike, Source, opened
from ._wire import Answer, Graph
from .errors import (
    IncompleteScanError,
    OpaqueObjectError,
    PickleExecutionError,
    PolicyError,
    SandboxUnavailable,
    UnsafeModelError,
    UnsupportedFormatError,
    UnverifiedModelError,
)
from .report import Report
from .state_dict import state_dict


class Sandbox(Enum):
    """Where Python code of the model may run. By default none runs, and the file is parsed in a confined worker.

    Only SECCOMP confines a Python: a process without a filter holds nothing back, and Python is in no WebAssembly module here.
    """

    NONE = "none"
    PROCESS = "process"
    SECCOMP = "seccomp"
    WASM = "wasm"


def scan(file: FileLike) -> Report:
    """Scan one file and report. Nothing is raised for what is found; a file that can't be opened is an OSError."""
    with opened(file) as source:
        return scan_source(source)


def scan_source(source: Source) -> Report:
    """Scan an open file."""
    return Report.from_json(_binary.index(source.fd, source.name, "never").report)


def load(
    f: FileLike,
    map_location: Any = None,
    *,
    max_threat_score: int = 20,
    verify_sigstore: bool = False,
    require_signature: bool = False,
    trusted_publishers: Any = None,
    bundle_path: Any = None,
    pubkey_path: Any = None,
    sbom_path: Any = None,
    sbom_policy: Any = None,
    environment: Optional[str] = None,
    sandbox: Any = None,
    sandbox_imports: Sequence[str] = (),
    sandbox_profile: Optional[str] = None,
    allow_opaque: bool = False,
    as_: Optional[str] = None,
    into: Any = None,
    audit_only: bool = False,
    weights_only: bool = True,
    mmap: bool = True,
    copy: Optional[str] = None,
) -> Any:
    """Load a model file in place of torch.load: the same objects, and nothing in the file is ever executed.

    The file is opened once, scanned and indexed in a confined process, mapped, and rebuilt from the index.
    An unsafe file raises UnsafeModelError (PickleExecutionError if a pickle in it would call something), one that
    could not be examined completely IncompleteScanError, one whose threat score is above `max_threat_score`
    UnsafeModelError.

    A file object must be at its beginning (ValueError if not) and is left at its end.

    `map_location` is torch.load's, its errors too. `mmap=False` copies the numbers into memory; `copy="sealed"` copies the whole
    file into memory that nobody can change before it is scanned. With the default, pages that were not read
    yet follow later in-place writes to the file, as with torch.load(mmap=True).

    Objects of classes that are not plain data raise OpaqueObjectError; with `allow_opaque` (or
    `weights_only=False`) they come back as inert st.Opaque. `as_="state_dict"` turns a pickled module into its
    state_dict, `into=module` loads that into a module and returns it. `audit_only` returns (object, report) and
    refuses nothing; the object is None if there is no way to rebuild it.

    `require_signature` refuses a file without a good signature, `verify_sigstore` one that Sigstore does not vouch for;
    `pubkey_path` (PEM) and `trusted_publishers` ({"identity": …, "issuer": …}), one or a list, say whose it must be. The
    signature is the one beside the file or `bundle_path`. UnverifiedModelError tells what is wrong with it, also with
    `audit_only`.

    `sbom_policy` names Rego policies (a file, a folder, or several): PolicyError if one denies, or none can decide. They
    are told of the scan, of the signature (verified if it is by those named), of the bill of materials (`sbom_path`, or
    the one beside the file) and of the `environment`.

    `sandbox=True` (or st.Sandbox.SECCOMP) is for whole pickled objects that this can't describe: what is not unsafe by its
    scan is unpickled by a Python of its own that can open, connect to and start nothing, and its state_dict comes back,
    as tensors only. Of the modules that the file names those of known libraries are imported there, and those in
    `sandbox_imports`; `sandbox_profile` names an OCI seccomp profile with calls to add. This contains the file's code,
    it does not make it right: the numbers may be forged.
    """
    keys, publishers = several(pubkey_path, "pubkey_path"), several(trusted_publishers, "trusted_publishers")
    signed = bool(verify_sigstore or require_signature or keys or publishers or bundle_path is not None)
    confined = _wants_python(sandbox)
    if as_ not in (None, "state_dict") or copy not in (None, "sealed"):
        raise ValueError(f"as_={as_!r}, copy={copy!r}: as_ takes None or 'state_dict', copy None or 'sealed'")
    wants_state = as_ == "state_dict" or into is not None
    with opened(f, sealed=copy == "sealed") as source:
        if signed:
            provenance.require(source, sigstore=verify_sigstore, bundle=bundle_path, keys=keys, publishers=publishers)
        trust = _policy_options(sbom_policy, sbom_path, environment)
        if trust and signed:  # policies are told of the signature too: as that of those who were named
            trust += provenance.signers(bundle_path, keys, publishers)
        answer = _binary.index(source.fd, source.name, "always" if audit_only else "loadable", trust)
        report = Report.from_json(answer.report)
        if sbom_path is not None and report.raw["sbom"]["state"] != "valid":
            why = report.raw["sbom"].get("message") or report.raw["sbom"]["state"]
            raise PolicyError(f"{source.name}: sbom_path={sbom_path!r} can't be read as an SBOM: {why}", report)
        if not audit_only:
            enforce(report, max_threat_score)
        elif confined and not allows(report, max_threat_score):
            return None, report  # an unsafe file is not run anywhere, even to audit it
        allowed = allow_opaque or not weights_only or wants_state or audit_only
        if confined:
            made = _in_python(answer, source, report, sandbox_imports, sandbox_profile, map_location, mmap)
        elif answer.graph is not None:
            made = _rebuild(answer.graph, source, report, map_location, mmap, allowed)
        elif audit_only:
            return None, report
        else:
            raise UnsupportedFormatError(f"{source.name} can't be loaded: {_no_way(answer, report)}", report)
    if wants_state:
        made = state_dict(made)
    if into is not None:
        into.load_state_dict(made)
        made = into
    return (made, report) if audit_only else made


class Arrays(dict[str, Any]):
    """The arrays of an .npz by name: a dict that can be used as what numpy.load returns."""

    @property
    def files(self) -> list[str]:
        """The names."""
        return list(self)

    def close(self) -> None:
        """Do nothing: no file is open."""

    def __enter__(self) -> Arrays:
        """Return the arrays, as numpy's does."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


def several(one_or_more: Any, option: str) -> list[Any]:
    """Make a list of what may be given alone: a path, a mapping. An empty one was meant to ask for something: it is refused."""
    if one_or_more is None:
        return []
    made = list(one_or_more) if isinstance(one_or_more, (list, tuple, set, frozenset)) else [one_or_more]
    if not made:
        raise ValueError(f"{option} is empty, so that nothing would be checked: pass None if that is meant")
    return made


def _no_way(answer: Answer, report: Report) -> str:
    """Say why there is nothing to rebuild, and who opens the file instead."""
    if "onnx" in report.formats:
        return "it is an ONNX model, which st.onnx_session opens"
    return answer.failure or "it has no index"


def _policy_options(policies: Any, sbom: Any, environment: Optional[str]) -> list[str]:
    options = [f"--policy={os.fspath(p)}" for p in several(policies, "sbom_policy")]
    options += [f"--sbom={os.fspath(sbom)}"] if sbom is not None else []
    return options + ([f"--environment={environment}"] if environment is not None else [])


def _wants_python(sandbox: Any) -> bool:
    """Tell whether a confined Python was asked for."""
    if sandbox in (Sandbox.PROCESS, Sandbox.WASM):
        raise SandboxUnavailable(f"sandbox={sandbox}: no Python can be confined that way; SECCOMP is the one that there is")
    if sandbox not in (None, False, Sandbox.NONE, True, Sandbox.SECCOMP):
        raise TypeError(f"sandbox={sandbox!r}: a st.Sandbox, True or None is needed")
    return sandbox in (True, Sandbox.SECCOMP)


def _in_python(
    answer: Answer, source: Source, report: Report, imports: Sequence[str], profile: Optional[str], map_location: Any, share: bool
) -> Any:
    """Rebuild what is plain data, for which no code has to run; have a confined Python load anything else."""
    modules: set[str] = set()
    if answer.graph is not None:
        try:
            return _rebuild(answer.graph, source, report, map_location, share, False)
        except OpaqueObjectError:
            modules = _confined.named_modules(answer.graph, answer.calls)
    with os.fdopen(_confined.state_tensors(source, report, modules, imports, profile), "rb") as result:
        source.check()
        tensors = load(result, map_location, mmap=share)
        size = int.from_bytes(os.pread(result.fileno(), 8, 0), "little")
        return _confined.restore(tensors, os.pread(result.fileno(), size, 8))


def allows(report: Report, max_threat_score: int) -> bool:
    """Tell whether enforce lets the report through."""
    return report.verdict in ("safe", "review") and report.threat_score <= max_threat_score


def enforce(report: Report, max_threat_score: int) -> None:
    """Raise unless the report allows loading."""
    if not isinstance(max_threat_score, numbers.Real):
        raise TypeError(f"max_threat_score={max_threat_score!r}: a number is needed, from 0 to 100")
    text = f"{report.path}: verdict {report.verdict}, threat score {report.threat_score}\n  {report.summary()}"
    if report.verdict == "unsafe":
        if any(f.name.startswith("pickle-") for f in report.grave):
            raise PickleExecutionError(text, report)
        for error, ids in ((PolicyError, "ST4"), (UnverifiedModelError, "ST3")):
            if all(f.rule.startswith(ids) for f in report.grave):
                raise error(text, report)
        raise UnsafeModelError(text, report)
    if report.verdict not in ("safe", "review"):
        raise IncompleteScanError(text, report)
    if not report.threat_score <= max_threat_score:  # NaN is no permission
        raise UnsafeModelError(f"{text}\n  the highest score allowed is {max_threat_score}", report)


def _rebuild(graph: Graph, source: Source, report: Report, map_location: Any, share: bool, allow_opaque: bool) -> Any:
    file = File(graph, source.fd, source.map(), share)
    rebuilder = Rebuilder(graph, file, Tensors(graph, file, map_location, share))
    try:
        made = rebuilder.build()
    except Misplaced as err:
        raise err.__cause__ or err from None
    except (Broken, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError) as err:
        raise IncompleteScanError(f"{source.name}: its objects can't be rebuilt: {err}", report) from err
    source.check()
    if rebuilder.opaque and not allow_opaque:
        names = sorted({o.origin for o in rebuilder.opaque})
        if any(n.startswith("torch.distributed.") and n.rpartition(".")[2] in _SPREAD for n in names):
            raise OpaqueObjectError(
                f"{source.name} holds a tensor that is spread over processes (DTensor), and only its part of this one. Save "
                "tensor.full_tensor(), or a full state_dict (torch.distributed.checkpoint.state_dict)",
                report,
            )
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise OpaqueObjectError(
            f"{source.name} holds more than plain data: {', '.join(names[:_SHOWN])}{more}. Pass as_='state_dict' for the "
            "tensors of a pickled module, or allow_opaque=True for inert st.Opaque objects",
            report,
        )
    archive = type(made) is dict and "npz" in report.formats and "torch" not in report.formats
    return Arrays(made) if archive else made


_SHOWN = 5
# Classes by which a tensor of several processes is known.
_SPREAD = ("DTensor", "DeviceMesh", "ShardedTensor")
