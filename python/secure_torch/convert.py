"""st.save and st.convert: tensors into a safetensors file, which holds nothing but tensors."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any, Optional

from . import _binary
from ._rebuild_torch import import_torch
from ._source import FileLike, opened
from .errors import SecurityError
from .loader import enforce, scan_source

TIES = "secure_torch.ties"
SOURCE = "secure_torch.source_sha256"

_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
    "complex64": "C64",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}


def save(tensors: Mapping[str, Any], path: str | os.PathLike[str], metadata: Optional[Mapping[str, str]] = None) -> None:
    """Write a mapping of names to plain tensors as safetensors, by way of a new file beside path.

    The format has no shared tensors: names of one and the same tensor are written once, the other names are
    listed in the metadata ("secure_torch.ties"), and safetensors' own loaders see the first name only.
    Tensors that merely overlap are written apart.
    """
    torch = import_torch()
    extra = dict(metadata or {})
    for key, value in extra.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata is text only, not {key!r}: {value!r}")
    header: dict[str, Any] = {}
    body: list[tuple[str, Any, int]] = []
    ties: dict[str, str] = {}
    first: dict[Any, str] = {}
    at = 0
    for name, tensor in tensors.items():
        _check(torch, name, tensor)
        same = _identity(tensor)
        if tensor.numel() and same in first:
            ties[name] = first[same]
            continue
        first[same] = name
        size = tensor.numel() * tensor.element_size()
        body.append((name, tensor, size))
    if ties:
        extra[TIES] = json.dumps(ties, sort_keys=True)
    # Wide elements first, as the reference writer does: every tensor is then aligned.
    body.sort(key=lambda entry: (-entry[1].element_size(), entry[0]))
    for name, tensor, size in body:
        dtype = _NAMES[str(tensor.dtype).removeprefix("torch.")]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    _write(path, ({"__metadata__": extra} if extra else {}) | header, [entry[1] for entry in body])


def _check(torch: Any, name: Any, tensor: Any) -> None:
    if not isinstance(name, str) or name == "__metadata__":
        raise TypeError(f"{name!r} can't be the name of a tensor")
    if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise TypeError(f"{name!r} is not a plain tensor: safetensors holds nothing else")
    if str(tensor.dtype).removeprefix("torch.") not in _NAMES:
        raise TypeError(f"{name!r} is of {tensor.dtype}, which safetensors has no name for")


def _identity(tensor: Any) -> tuple[Any, ...]:
    return (
        tensor.data_ptr(),
        tensor.dtype,
        tuple(tensor.shape),
        tensor.stride(),
        str(tensor.device),
        tensor.is_conj(),
        tensor.is_neg(),
    )


def _write(path: str | os.PathLike[str], header: dict[str, Any], tensors: list[Any]) -> None:
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    target = os.fspath(path)
    fd, part = tempfile.mkstemp(dir=os.path.dirname(target) or ".", prefix=".secure-torch-")
    try:
        with os.fdopen(fd, "wb") as out:
            out.write(len(text).to_bytes(8, "little"))
            out.write(text)
            for tensor in tensors:
                for chunk in _chunks(tensor):
                    out.write(chunk)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask)
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise


def _chunks(tensor: Any) -> Any:
    """Give the tensor's elements in order, little-endian, as buffers."""
    import ctypes
    import sys

    flat = tensor.detach().cpu().contiguous().resolve_conj().resolve_neg().reshape(-1)
    if sys.byteorder == "big":
        raise SecurityError("writing safetensors on a big-endian machine is not supported yet")
    size = flat.numel() * flat.element_size()
    if size:
        yield memoryview((ctypes.c_char * size).from_address(flat.data_ptr()))
    del flat  # it owns the memory: not before the buffer was written


def convert(
    source: FileLike,
    path: str | os.PathLike[str],
    only: Optional[str] = None,
    *,
    all: bool = False,
    max_threat_score: int = 20,
) -> dict[str, Any]:
    """Turn a checkpoint, or a whole pickled module, into a safetensors file; return {"tensors", "ties", "sha256"}.

    It is `secure-torch convert`: an unsafe file is refused. A file that has tensors outside of its state_dict or module
    raises SecurityError, unless `only` gives the dotted keys of the dict or module to take, or `all` takes every tensor
    in dicts, lists and modules, by dotted names. The file's digest goes into the metadata, and the new file is read back
    and compared before it takes its place.
    """
    if only is not None and all:
        raise ValueError("only and all exclude each other")
    selection = (["--only", only] if only is not None else []) + (["--all"] if all else [])
    with opened(source) as file:
        enforce(scan_source(file), max_threat_score)
        told = _binary.convert(file.fd, file.name, os.fspath(path), [*selection, "--max-threat-score", str(max_threat_score)])
    return {"tensors": told["tensors"], "ties": told["ties"], "sha256": _metadata(path)[SOURCE]}


def _metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read the metadata of a file that was loaded, and so checked, before."""
    with open(path, "rb") as file:
        found = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    metadata: dict[str, str] = found.get("__metadata__", {})
    return metadata
