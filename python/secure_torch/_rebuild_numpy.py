"""numpy arrays, scalars and dtypes, as numpy's own __reduce__ describes them. Arrays of objects are plain lists' work."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any, Callable

from ._rebuild import Broken, Rebuilder, Span, need

# Type letter and size: "f8", "U12", "V16". No object, and nothing that numpy would parse further.
_SPEC = re.compile(r"[?bhilqpBHILQPefdgFDGSUVaOMmcuif][0-9]{0,9}")


def import_numpy() -> Any:
    """Import numpy, or say how to get it."""
    try:
        import numpy
    except ImportError as err:
        raise ImportError("the file holds numpy arrays, and numpy is not installed: pip install numpy") from err
    return numpy


def _dtype(_: Rebuilder, spec: Any, *_flags: Any) -> Any:
    numpy = import_numpy()
    if isinstance(spec, type) and issubclass(spec, numpy.generic):
        return numpy.dtype(spec)
    need(isinstance(spec, str) and _SPEC.fullmatch(spec) is not None)
    return numpy.dtype(spec)


def _dtype_state(r: Rebuilder, state: Any, spec: Any, *flags: Any) -> Any:
    """Give a dtype its byte order, and a structured one its fields (numpy: arraydescr_setstate)."""
    numpy = import_numpy()
    need(isinstance(state, tuple) and len(state) in (8, 9))
    _, order, subarray, names, fields, itemsize, *_ = state
    need(order in ("<", ">", "|", "="))
    metadata = state[8] if len(state) == 9 else None
    if isinstance(metadata, tuple) and isinstance(spec, str) and spec[0] in "Mm":
        need(len(metadata) == 2 and isinstance(metadata[1], tuple) and len(metadata[1]) == 4)
        unit = [x.decode() if isinstance(x, bytes) else x for x in metadata[1]]
        need(all(type(x) is int for x in unit[1:]))
        need(unit[0] in ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "generic"))
        suffix = "" if unit[0] == "generic" else f"[{int(unit[1])}{unit[0]}]"
        return _ordered(numpy.dtype(f"{spec}{suffix}"), order)
    if subarray is not None:
        need(isinstance(subarray, tuple) and len(subarray) == 2 and isinstance(subarray[0], numpy.dtype))
        shape = subarray[1] if isinstance(subarray[1], tuple) else (subarray[1],)
        need(all(type(n) is int and n >= 0 for n in shape))
        return numpy.dtype((subarray[0], shape))
    if names is None:
        base = _dtype(r, spec, *flags)
        return base if order in ("|", "=") else _ordered(base, order)
    need(isinstance(names, tuple) and isinstance(fields, dict))
    formats, offsets, titles = [], [], []
    for name in names:
        entry = fields.get(name)
        need(isinstance(name, str) and isinstance(entry, tuple) and len(entry) >= 2)
        need(isinstance(entry[0], numpy.dtype) and type(entry[1]) is int and entry[1] >= 0)
        formats.append(entry[0])
        offsets.append(entry[1])
        titles.append(entry[2] if len(entry) > 2 else None)
    need(type(itemsize) is int and 0 <= itemsize < 1 << 31)
    layout: dict[str, Any] = {"names": list(names), "formats": formats, "offsets": offsets, "itemsize": itemsize}
    if any(t is not None for t in titles):
        layout["titles"] = titles
    return numpy.dtype(layout, align=len(state) > 7 and bool(state[7] & _ALIGNED))


def _ordered(dtype: Any, order: str) -> Any:
    """Give dtype a byte order; this machine's own is written "=" as numpy does."""
    native = "<" if sys.byteorder == "little" else ">"
    return dtype.newbyteorder("=" if order == native else order)


_ALIGNED = 0x80  # NPY_ALIGNED_STRUCT


def _shape(value: Any) -> tuple[int, ...]:
    need(isinstance(value, tuple) and all(type(n) is int and n >= 0 for n in value))
    return tuple(value)


def _array(r: Rebuilder, subtype: Any, _version: Any, shape: Any, dtype: Any, fortran: Any, data: Any) -> Any:
    """Make what BUILD makes of numpy.core.multiarray._reconstruct's empty array."""
    numpy = import_numpy()
    need(subtype is numpy.ndarray and isinstance(dtype, numpy.dtype))
    order = "F" if fortran else "C"
    if dtype.hasobject:
        need(isinstance(data, list) and dtype == numpy.dtype("O"))
        made = numpy.empty(len(data), dtype=object)
        for i, item in enumerate(data):  # one by one: numpy would make dimensions of lists
            made[i] = item
        # The list is in C order whatever the array's own is (numpy: _getlist_pkl).
        return numpy.array(made.reshape(_shape(shape)), order=order)
    if isinstance(data, str):
        data = data.encode("latin-1")
    return _of(r, data, dtype, _shape(shape), order)


def _of(r: Rebuilder, data: Any, dtype: Any, shape: tuple[int, ...], order: str, native: bool = True) -> Any:
    numpy = import_numpy()
    count = 1
    for n in shape:
        count *= n
    size = count * dtype.itemsize
    if isinstance(data, Span):
        buffer, at = r.file.buffer(-1, data.off, size) if size <= data.size else (b"", 0)
        length = data.size
    else:
        need(isinstance(data, (bytes, bytearray)))
        buffer, at, length = bytearray(data), 0, len(data)
    if length < size or dtype.hasobject:
        raise Broken(f"an array of shape {shape} and dtype {dtype} over {length} bytes")
    if count == 0 or dtype.itemsize == 0:
        return numpy.empty(shape, dtype, order=order)
    flat = numpy.frombuffer(buffer, dtype=dtype, count=count, offset=at)
    if native and dtype.byteorder != "|" and not dtype.isnative:  # as numpy's __setstate__ does; fields keep their order
        flat = flat.astype(dtype.newbyteorder("="))
    return flat.reshape(shape, order=order)


def _scalar(r: Rebuilder, dtype: Any, data: Any = b"") -> Any:
    numpy = import_numpy()
    need(isinstance(dtype, numpy.dtype))
    if isinstance(data, str):
        data = data.encode("latin-1")
    if isinstance(data, Span):
        data = r.file.read(data.off, data.size)
    need(isinstance(data, bytes) and len(data) == dtype.itemsize and not dtype.hasobject)
    if not data:
        return dtype.type()
    return numpy.frombuffer(data, dtype=dtype, count=1)[0]


def _frombuffer(r: Rebuilder, data: Any, dtype: Any, shape: Any, order: Any) -> Any:
    """Make numpy.core.numeric._frombuffer's array, how protocol 5 writes one."""
    numpy = import_numpy()
    if isinstance(shape, int):
        shape = (shape,)
    need(isinstance(dtype, numpy.dtype) and order in ("C", "F"))
    return _of(r, data, dtype, _shape(shape), order, native=False)


def _joblib(r: Rebuilder, dtype: Any, shape: Any, order: Any, data: Any) -> Any:
    numpy = import_numpy()
    need(isinstance(dtype, numpy.dtype) and order in ("C", "F"))
    return _of(r, data, dtype, _shape(shape), order)


_NPY_KEYS = {"descr", "fortran_order", "shape"}


def _npy(r: Rebuilder, header: Any, data: Any) -> Any:
    """Make the array of an .npy file: its header is a Python literal (numpy.lib.format)."""
    numpy = import_numpy()
    try:
        fields = ast.literal_eval(header.strip())
        dtype = numpy.lib.format.descr_to_dtype(fields["descr"])
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as err:
        raise Broken(f"header of .npy: {err}") from err
    if not isinstance(fields, dict) or set(fields) != _NPY_KEYS or dtype.hasobject:
        raise Broken("header of .npy is not numpy's")
    order = "F" if fields["fortran_order"] is True else "C"
    return _of(r, data, dtype, _shape(fields["shape"]), order, native=False)


CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "joblib.array": _joblib,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy.dtype": _dtype,
    "numpy.dtype+state": _dtype_state,
    "numpy.ndarray+state": _array,
    "numpy.npy": _npy,
}
