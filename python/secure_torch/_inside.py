"""The program that `secure-torch sandbox exec` runs over a pickled module. It is never imported, only read as text.

In it everything is hostile from the moment in which the file is read: what it writes is scanned like any other file.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

_NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32", "int16": "I16",
    "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL", "complex64": "C64",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "module", "net", "ema", "weights", "params")


def _read(torch: Any, file: Any, how: str) -> Any:
    if how == "pickle":
        import pickle

        return pickle.Unpickler(file).load()  # noqa: S301
    options: dict[str, Any] = {"map_location": "cpu"}
    if "weights_only" in inspect.signature(torch.load).parameters:
        options["weights_only"] = False
    return torch.load(file, **options)


def _state(torch: Any, obj: Any, depth: int) -> Any:
    """Return the state_dict of the module that obj is or holds, or obj if it is a mapping of tensors."""
    if isinstance(obj, torch.nn.Module):
        return obj.state_dict()
    if isinstance(obj, dict):
        if obj and all(isinstance(v, torch.Tensor) for v in obj.values()):
            return obj
        if depth < len(_KEYS):
            for key in _KEYS:
                found = _state(torch, obj[key], depth + 1) if key in obj else None
                if found is not None:
                    return found
    return None


def _chunks(tensor: Any) -> Any:
    import ctypes

    flat = tensor.detach().cpu().contiguous().resolve_conj().resolve_neg().reshape(-1)
    size = flat.numel() * flat.element_size()
    for at in range(0, size, 1 << 24):
        yield (ctypes.c_char * min(1 << 24, size - at)).from_address(flat.data_ptr() + at)


def _write(state: Any, out: Any) -> None:
    """Write the tensors in the layout of safetensors; the names' order, and which are one tensor, into the metadata."""
    header: dict[str, Any] = {}
    first: dict[Any, str] = {}
    ties: dict[str, str] = {}
    kept: list[Any] = []
    at = 0
    for name, tensor in state.items():
        dtype = _NAMES.get(str(tensor.dtype).removeprefix("torch."))
        if dtype is None or tensor.is_quantized or tensor.is_sparse:
            raise TypeError(f"{name!r} is no plain tensor but one of {tensor.dtype}")
        same = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride(), tensor.is_conj(), tensor.is_neg())
        if tensor.numel() and same in first:
            ties[name] = first[same]
            continue
        first[same] = name
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        kept.append(tensor)
        at += size
    versions = {prefix: info.get("version", 1) for prefix, info in getattr(state, "_metadata", {}).items()}
    about = {"order": list(state), "ties": ties, "versions": versions}
    header["__metadata__"] = {"secure_torch.state": json.dumps(about)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pieces = [len(text).to_bytes(8, "little"), text]
    for piece in pieces:
        _all(out, piece)
    for tensor in kept:
        for chunk in _chunks(tensor):
            _all(out, chunk)


def _all(out: Any, piece: Any) -> None:
    view = memoryview(piece).cast("B")
    while view:
        view = view[out.write(view) :]


def _main(given: Any, out: Any) -> None:
    import torch

    state = _state(torch, _read(torch, given, sys.argv[1]), 0)
    if state is None:
        raise TypeError("the file's object is no module and holds no state_dict")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise TypeError(f"{name!r} of the state_dict is a {type(value).__name__}")
    _write(state, out)


if "OUTPUT" in globals():
    _main(globals()["INPUT"], globals()["OUTPUT"])
