"""Loaders beside torch's: ONNX, numpy, joblib, TorchScript."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Any, NoReturn, Optional, Union

from . import _binary
from ._source import FileLike, opened
from .errors import PolicyError, UnsafeModelError, UnsupportedFormatError
from .loader import enforce, load, scan_source, several
from .provenance import PathLike, Publisher, require


def onnx_session(
    path: FileLike,
    *,
    max_threat_score: int = 20,
    verify_provenance: bool = False,
    trusted_publishers: Union[Publisher, Iterable[Publisher], None] = None,
    pubkey_path: Union[PathLike, Iterable[PathLike], None] = None,
    bundle_path: Optional[PathLike] = None,
    emit_sbom: Union[bool, PathLike] = False,
    sess_options: Any = None,
    providers: Any = None,
    allow_custom_ops: bool = False,
) -> Any:
    """Return an onnxruntime.InferenceSession of exactly the bytes that were scanned.

    A session made of bytes can't find external data beside the file: onnxruntime then refuses such a model. Session
    options with custom operator libraries run native code, and are refused unless `allow_custom_ops`. Signatures are
    asked for as in st.load; `verify_provenance` is its `require_signature`. `emit_sbom` writes an SPDX 3.0.1 document
    beside the file (path + ".spdx.json"), or where it says.
    """
    if emit_sbom and not isinstance(path, (str, os.PathLike)):
        raise TypeError("emit_sbom describes a file by its path, and there is none")
    try:
        import onnxruntime
    except ImportError as err:
        raise ImportError("st.onnx_session needs onnxruntime: pip install onnxruntime") from err
    if sess_options is not None and not allow_custom_ops:
        raise UnsafeModelError("sess_options may name custom operator libraries: pass allow_custom_ops=True if yours are wanted")
    keys, publishers = several(pubkey_path, "pubkey_path"), several(trusted_publishers, "trusted_publishers")
    with opened(path, sealed=True) as source:
        if verify_provenance or keys or publishers or bundle_path is not None:
            require(source, sigstore=False, bundle=bundle_path, keys=keys, publishers=publishers)
        report = scan_source(source)
        enforce(report, max_threat_score)
        if "onnx" not in report.formats:
            raise UnsupportedFormatError(f"{source.name} is not an ONNX model", report)
        mapped = source.map()
        data = bytes(mapped[:]) if mapped is not None else b""
    if emit_sbom:
        _write_sbom(source.name, source.name + ".spdx.json" if emit_sbom is True else os.fspath(emit_sbom), data)
    try:
        return onnxruntime.InferenceSession(data, sess_options=sess_options, providers=providers or ["CPUExecutionProvider"])
    except Exception as err:
        # onnxruntime has no class of its own for this; its texts say "model_path" or "external data", by version.
        if "model_path" in str(err) or "external" in str(err).lower():
            raise UnsupportedFormatError(
                f"{source.name} keeps weights in other files, which a session made of scanned bytes can't read. "
                "Put them into one file: onnx.save_model(onnx.load(path), new_path, save_as_external_data=False)",
                report,
            ) from err
        raise


def _write_sbom(path: Any, target: str, data: bytes) -> None:
    """Write the SPDX document of the file at path, and see that it speaks of these bytes."""
    _binary.sbom(path, target)
    with open(target, encoding="utf-8") as file:
        if hashlib.sha256(data).hexdigest() not in file.read():
            raise PolicyError(f"{path} has changed since it was scanned: {target} is not about what was loaded")


def numpy_load(file: FileLike, **options: Any) -> Any:
    """Load an .npy or .npz file as numpy.load(allow_pickle=True) does, without pickle.

    An .npz comes as a dict of its arrays, all of them read, which has the `files`, `close` and `with` of numpy's too.
    Options are those of st.load.
    """
    return load(file, **options)


def joblib_load(file: FileLike, **options: Any) -> Any:
    """Load what joblib.dump wrote, compressed or not. Arrays are rebuilt; estimators come as inert st.Opaque.

    Options are those of st.load; `allow_opaque=False` refuses anything that is not plain data.
    """
    return load(file, **{"allow_opaque": True, **options})


def torchscript(path: FileLike, **_options: Any) -> NoReturn:
    """Refuse: a TorchScript archive is a program.

    Loading one compiles and runs code of the model's author by design, so no scan can make that the same as loading
    tensors. Read it with `secure-torch scan`, and run it in a sandbox of your own.
    """
    with opened(path) as source:
        report = scan_source(source)
        name = source.name
    raise UnsupportedFormatError(
        f"{name}: TorchScript is a program, not data: loading it without running its author's code is not possible. "
        "Export the weights with state_dict() and use st.load or safetensors",
        report,
    )
