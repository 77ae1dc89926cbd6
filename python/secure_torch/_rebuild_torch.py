"""Tensors: views of storages that lie in the mapped file. torch is imported when the first one is made."""

from __future__ import annotations

import dataclasses
import sys
import zlib
from typing import Any, Callable, Optional

from . import _wire as wire
from ._rebuild import Broken, File, Rebuilder, Unbuildable, need, set_attributes

_DTYPES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "complex32": 4,
    "complex64": 8,
    "complex128": 16,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
    "float4_e2m1fn_x2": 1,
    "bcomplex32": 4,
    "bits8": 1,
    "bits16": 2,
    "bits1x8": 1,
    "bits2x4": 1,
    "bits4x2": 1,
    "qint8": 1,
    "quint8": 1,
    "qint32": 4,
    "quint4x2": 1,
    "quint2x4": 1,
}
_CONSTANTS = {
    *_DTYPES,
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in range(1, 8)),  # dtypes without tensors that can be saved
    *("strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged"),
    *("per_tensor_affine", "per_channel_affine", "per_tensor_symmetric", "per_channel_symmetric"),
    *("per_channel_affine_float_qparams", "contiguous_format", "preserve_format", "channels_last", "channels_last_3d"),
}


def import_torch() -> Any:
    """Import torch, or say how to get it."""
    try:
        import torch
    except ImportError as err:
        raise ImportError("the file holds tensors, and torch is not installed: pip install torch") from err
    return torch


class Misplaced(Exception):
    """The caller's map_location names no device, or raises: the cause is his error, and says nothing about the file."""


class Tensors:
    """Makes the tensors and storages of one file."""

    def __init__(self, graph: wire.Graph, file: File, map_location: Any, mapped: bool) -> None:
        """Mapped: tensors may lie in the file's pages; otherwise each storage gets memory of its own."""
        self.graph, self.file, self.map_location, self.mapped = graph, file, map_location, mapped
        self._torch: Any = None
        self._storages: dict[int, Any] = {}
        self._dtypes: dict[int, Any] = {}
        self._here: dict[int, bool] = {}
        self._uses: list[int] = []

    @property
    def torch(self) -> Any:
        """The torch module."""
        if self._torch is None:
            self._torch = import_torch()
            self._uses = [0] * len(self.graph.storages)
            for row in self.graph.tensors:
                self._uses[row[0]] += 1
        return self._torch

    def constant(self, name: str) -> Any:
        """torch.float32 and the like; None if it is none of these."""
        return getattr(self.torch, name, None) if name in _CONSTANTS else None

    def dtype(self, text: int) -> Any:
        """Dtype by the number of its name's string."""
        found = self._dtypes.get(text)
        if found is None:
            name = self.graph.strings[text].decode()
            if name not in _DTYPES or not hasattr(self.torch, name):
                raise Broken(f"torch {self.torch.__version__} has no dtype {name}")
            found = self._dtypes[text] = getattr(self.torch, name)
        return found

    def tensor(self, i: int) -> Any:
        """Tensor of row i."""
        torch = self._torch or self.torch
        storage, offset, text, flags, dims, ndim = self.graph.tensors[i]
        dtype = self._dtypes.get(text) or self.dtype(text)
        sizes = self.graph.dims[dims : dims + ndim]
        row = self.graph.storages[storage]
        made = None
        if self._uses[storage] == 1 and row[4] == 0 and row[7] < 0 and storage not in self._storages:
            made = self._alone(row, offset, dtype, sizes, self.graph.dims[dims + ndim : dims + 2 * ndim])
        if made is None:
            strides = self.graph.dims[dims + ndim : dims + 2 * ndim]
            whole = self.untyped(storage)
            made = torch.empty(0, dtype=dtype, device=whole.device).set_(whole, offset, tuple(sizes), tuple(strides))
        if flags:
            made = _flagged(made, flags)
        return made

    def _alone(self, row: tuple[int, ...], offset: int, dtype: Any, sizes: list[int], strides: list[int]) -> Any:
        """Make the only tensor on a storage, all of it and contiguous: twice as fast as a storage and a view of it."""
        text, off, _, nbytes, _, kind, device, _, _ = row
        count = 1
        for size, stride in zip(reversed(sizes), reversed(strides)):
            if stride != count and size != 1:
                return None
            count *= size
        item = _DTYPES[self.graph.strings[kind].decode()]
        if (
            offset
            or count * item != nbytes
            or not nbytes
            or off % item
            or not self._stays(device)
            or self.dtype(kind) is not dtype
        ):
            return None
        buffer, at = self.file.buffer(text, off, nbytes)
        flat = self._torch.frombuffer(buffer, dtype=dtype, count=count, offset=at)
        for i, size in enumerate(sizes):  # a size of 1 may have any stride
            if size == 1 and strides[i] != _contiguous(sizes, i):
                return None
        return flat.resize_(sizes)

    def _stays(self, device: int) -> bool:
        """Whether storages saved from this device end up in the file's pages, on the CPU."""
        known = self._here.get(device)
        if known is None:
            where = self.map_location
            saved = self.graph.strings[device].decode()
            if isinstance(where, dict):
                where = where.get(saved, saved)
            known = self._here[device] = not callable(where) and str(saved if where is None else where) == "cpu"
        return known

    def untyped(self, i: int) -> Any:
        """Untyped storage of row i, where map_location puts it."""
        found = self._storages.get(i)
        if found is None:
            row = self.graph.storages[i]
            if row[7] >= 0:
                if row[7] == i or self.graph.storages[row[7]][7] >= 0:
                    raise Broken("a part of a part of a storage")
                found = self.untyped(row[7])[row[8] : row[8] + row[3]]
            else:
                found = self._placed(self._read(row), self.graph.strings[row[6]].decode())
            self._storages[i] = found
        return found

    def storage(self, i: int) -> Any:
        """Typed storage of row i, as torch.load returns one."""
        dtype = self.dtype(self.graph.storages[i][5])
        return self.torch.storage.TypedStorage(wrap_storage=self.untyped(i), dtype=dtype)

    def _read(self, row: tuple[int, ...]) -> Any:
        text, off, stored, nbytes, flags, kind, _, _, _ = row
        torch = self.torch
        if nbytes == 0:
            return torch.UntypedStorage(0)
        item = _DTYPES[self.graph.strings[kind].decode()]
        if flags & wire.STORAGE_DEFLATED:
            packed, at = self.file.buffer(text, off, stored)
            data = bytearray(zlib.decompressobj(-15).decompress(bytes(memoryview(packed)[at : at + stored]), nbytes))
            if len(data) != nbytes:
                raise Broken(f"a compressed record holds {len(data)} bytes, {nbytes} are due")
            flat = torch.frombuffer(data, dtype=torch.uint8)
        else:
            buffer, at = self.file.buffer(text, off, nbytes)
            flat = torch.frombuffer(buffer, dtype=torch.uint8, count=nbytes, offset=at)
            if at % item:
                flat = flat.clone()
        swapped = flags & wire.STORAGE_SWAPPED if sys.byteorder == "little" else not flags & wire.STORAGE_SWAPPED
        if swapped and item > 1:
            part = item // 2 if self.graph.strings[kind].startswith(b"complex") else item
            flat = flat.view(-1, part).flip(1).reshape(-1).contiguous()
        return untyped(flat)

    def _placed(self, storage: Any, saved: str) -> Any:
        """Do what torch.load does with map_location (torch.serialization._get_restore_location)."""
        where = self.map_location
        restore = self.torch.serialization.default_restore_location
        if callable(where):
            placed = _asked(where, storage, saved)
            return restore(storage, saved) if placed is None else placed
        if isinstance(where, dict):
            where = where.get(saved)
        return restore(storage, saved) if where is None else _asked(restore, storage, str(where))

    def set_state(self, target: Any, state: Any) -> bool:
        """Set the attributes of a tensor; False if target is none."""
        torch = self._torch
        if _is_range(target):
            _set_range(target, state)
            return True
        if torch is None or not isinstance(target, torch.Tensor):
            return False
        if target.layout is getattr(torch, "jagged", None):
            state = _beyond_parts(target, state)
        set_attributes(target, state)
        return True


def _asked(place: Callable[..., Any], storage: Any, where: str) -> Any:
    """Put a storage where the caller, not the file, wants it."""
    try:
        return place(storage, where)
    except Exception as err:
        raise Misplaced from err


def _contiguous(sizes: list[int], i: int) -> int:
    stride = 1
    for size in sizes[i + 1 :]:
        stride *= size
    return stride


def untyped(tensor: Any) -> Any:
    """Untyped storage of a tensor, in torch 1.13 and later."""
    if hasattr(tensor, "untyped_storage"):
        return tensor.untyped_storage()
    return tensor.storage().untyped()


def _flagged(tensor: Any, flags: int) -> Any:
    torch = sys.modules["torch"]
    if flags & wire.TENSOR_CONJ:
        torch._C._set_conj(tensor, True)
    if flags & wire.TENSOR_NEG:
        torch._C._set_neg(tensor, True)
    if flags & wire.TENSOR_REQUIRES_GRAD:
        tensor.requires_grad = True
    return tensor


def _tensors(r: Rebuilder, *values: Any) -> Any:
    """Return torch, after checking that the values are tensors."""
    torch = r.tensors.torch
    need(all(isinstance(v, torch.Tensor) for v in values))
    return torch


def _ints(values: Any) -> bool:
    return isinstance(values, (tuple, list)) and all(type(v) is int for v in values)


def _size(r: Rebuilder, sizes: Any) -> Any:
    need(_ints(sizes))
    return r.tensors.torch.Size(sizes)


def _device(r: Rebuilder, *args: Any) -> Any:
    need(all(isinstance(a, (str, int)) for a in args))
    return r.tensors.torch.device(*args)


def _layout(r: Rebuilder, name: Any) -> Any:
    need(isinstance(name, str) and name.startswith("torch.") and name[6:] in _CONSTANTS)
    layout = getattr(r.tensors.torch, name[6:], None)
    need(layout is not None)
    return layout


def _parameter(r: Rebuilder, data: Any, requires_grad: Any, _hooks: Any) -> Any:
    torch = _tensors(r, data)
    need(isinstance(requires_grad, (bool, int)))
    return torch.nn.Parameter(data, bool(requires_grad))


def _parameter_with_state(r: Rebuilder, data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
    made = _parameter(r, data, requires_grad, hooks)
    set_attributes(made, state)
    return made


def _meta(r: Rebuilder, dtype: Any, size: Any, stride: Any, requires_grad: Any) -> Any:
    torch = r.tensors.torch
    need(isinstance(dtype, torch.dtype) and _ints(size) and _ints(stride))
    return torch.empty_strided(size, stride, dtype=dtype, device="meta", requires_grad=bool(requires_grad))


def _sparse(r: Rebuilder, layout: Any, data: Any) -> Any:
    """Make a sparse tensor, checked by torch: torch.load makes them unchecked and looks at them only later."""
    torch = r.tensors.torch
    need(isinstance(data, tuple) and len(data) >= 3)
    if layout is torch.sparse_coo:
        indices, values, size, *coalesced = data
        _tensors(r, indices, values)
        made = torch.sparse_coo_tensor(indices, values, size, dtype=values.dtype, **_checked(torch))
        return made._coalesced_(bool(coalesced[0])) if coalesced else made
    return _compressed(r, layout, data)


def _compressed(r: Rebuilder, layout: Any, data: Any) -> Any:
    torch = r.tensors.torch
    make = {
        getattr(torch, f"sparse_{kind}", None): getattr(torch, f"sparse_{kind}_tensor", None)
        for kind in ("csr", "csc", "bsr", "bsc")
    }.get(layout)
    need(isinstance(data, tuple) and len(data) == 4 and make is not None)
    compressed, plain, values, size = data
    _tensors(r, compressed, plain, values)
    return make(compressed, plain, values, size, dtype=values.dtype, **_checked(torch))  # type: ignore[misc]


def _checked(torch: Any) -> dict[str, bool]:
    """Have torch look at the indices: torch 1.13 always does, later ones only when asked."""
    return {"check_invariants": True} if hasattr(torch.sparse, "check_sparse_tensor_invariants") else {}


def _quantized(
    r: Rebuilder, storage: Any, offset: Any, size: Any, stride: Any, params: Any, requires_grad: Any, _hooks: Any
) -> Any:
    torch = r.tensors.torch
    need(isinstance(params, tuple) and _ints(size) and _ints(stride) and type(offset) is int)
    need(isinstance(storage, torch.storage.TypedStorage))
    if params[0] is torch.per_tensor_affine:
        _, scale, zero = params
        need(isinstance(scale, float) and type(zero) is int)
        made = torch._empty_affine_quantized(size, scale=scale, zero_point=zero, dtype=storage.dtype, device=storage.device)
    else:
        need(params[0] in (torch.per_channel_affine, torch.per_channel_affine_float_qparams))
        _, scales, zeros, axis = params
        if isinstance(scales, list) and isinstance(zeros, list):
            whole = params[0] is torch.per_channel_affine
            scales = torch.tensor(scales, dtype=torch.double if whole else torch.float)
            zeros = torch.tensor(zeros, dtype=torch.long if whole else torch.float)
        _tensors(r, scales, zeros)
        need(type(axis) is int and -len(size) <= axis < len(size))
        need(scales.numel() == zeros.numel() == size[axis])
        made = torch._empty_per_channel_affine_quantized(
            size, scales=scales, zero_points=zeros, axis=axis, dtype=storage.dtype, device=storage.device
        )
    made.set_(storage.untyped() if hasattr(storage, "untyped") else storage._storage, offset, size, stride)
    made.requires_grad = bool(requires_grad)
    return made


def _nested(r: Rebuilder, buffer: Any, sizes: Any, strides: Any, offsets: Any) -> Any:
    torch = _tensors(r, buffer, sizes, strides)
    need(sizes.dim() == 2 and sizes.shape == strides.shape)
    starts = offsets.tolist() if isinstance(offsets, torch.Tensor) else list(offsets)
    need(_ints(starts) and len(starts) == sizes.shape[0] and buffer.dim() == 1)
    for start, size, stride in zip(starts, sizes.tolist(), strides.tolist()):
        need(start >= 0 and all(v >= 0 for v in (*size, *stride)))
        last = start + sum((n - 1) * s for n, s in zip(size, stride))
        if 0 not in size and last >= buffer.numel():
            raise Broken(f"a nested tensor reaches element {last} of {buffer.numel()}")
    if hasattr(torch, "_nested_view_from_buffer"):
        return torch._nested_view_from_buffer(buffer, sizes, strides, torch.tensor(starts))
    # torch 1.13 has no views of that kind: the parts are copied.
    return torch.nested.nested_tensor([
        buffer.as_strided(size, stride, start) for start, size, stride in zip(starts, sizes.tolist(), strides.tolist())
    ])  # fmt: skip


# The attributes of a jagged tensor that its constructor sets; the names of its arguments follow from them.
_JAGGED = ("_values", "_offsets", "_lengths", "_ragged_idx", "_metadata_cache")


def _jagged(r: Rebuilder, parts: Any) -> Any:
    """Make torch.nested's jagged tensor, whose own constructor believes the offsets it is given."""
    torch = r.tensors.torch
    try:
        from torch.nested._internal.nested_tensor import NestedTensor
    except ImportError as err:
        raise Broken(f"torch {torch.__version__} has no jagged nested tensors") from err
    need(isinstance(parts, dict) and parts.keys() <= {"requires_grad", *(name.lstrip("_") for name in _JAGGED), *_JAGGED})
    values, offsets, lengths = parts.get("values"), parts.get("offsets"), parts.get("lengths")
    axis, cache = parts.get("_ragged_idx", 1), parts.get("_metadata_cache")
    _tensors(r, values, offsets, *(() if lengths is None else (lengths,)))
    need(values.layout is torch.strided and type(axis) is int and 1 <= axis <= values.dim())
    _check_ragged(torch, values.shape[axis - 1], offsets, lengths, cache)
    return NestedTensor(
        values, offsets, lengths=lengths, _ragged_idx=axis, _metadata_cache=cache, requires_grad=bool(parts.get("requires_grad"))
    )


def _range() -> Any:
    """Make what torch.compile notes of a dimension that changes, empty."""
    try:
        from torch._dynamo.decorators import _DimRange
    except ImportError as err:
        raise Broken(f"this torch knows no torch._dynamo.decorators._DimRange: {err}") from err
    return object.__new__(_DimRange)


def _is_range(target: Any) -> bool:
    known = sys.modules.get("torch._dynamo.decorators")
    return known is not None and type(target) is getattr(known, "_DimRange", None)


def _set_range(target: Any, state: Any) -> None:
    names = [field.name for field in dataclasses.fields(target)]
    if isinstance(state, (list, tuple)) and len(state) == len(names):  # newer ones have slots, and give their values in order
        state = dict(zip(names, state))
    if (
        not isinstance(state, dict)
        or not state.keys() <= set(names)
        or any(type(v) not in (int, type(None)) for v in state.values())
    ):
        raise Broken("a dimension's range is none")
    for name, value in state.items():
        object.__setattr__(target, name, value)


# Classes whose objects are made empty; Tensors.set_state then sets their attributes.
INSTANCES: dict[tuple[str, str], Callable[[], Any]] = {("torch._dynamo.decorators", "_DimRange"): _range}


def _check_ragged(torch: Any, size: int, offsets: Any, lengths: Any, cache: Any) -> None:
    """Refuse rows outside the values, and a longest and shortest row that are none."""
    for part in (offsets,) if lengths is None else (offsets, lengths):
        need(part.dim() == 1 and part.dtype in (torch.int32, torch.int64) and part.layout is torch.strided and not part.is_meta)
    need(offsets.numel() > 0 and (lengths is None or lengths.numel() == offsets.numel() - 1))
    starts = offsets.tolist()
    rows = [end - start for start, end in zip(starts, starts[1:])] if lengths is None else lengths.tolist()
    if any(start < 0 or row < 0 or start + row > size for start, row in zip(starts, rows)) or not 0 <= starts[-1] <= size:
        raise Broken(f"a jagged tensor has rows outside its {size} values")
    if cache is None or cache == {}:
        return
    need(isinstance(cache, dict) and cache.keys() <= {"max_seqlen", "min_seqlen"} and bool(rows))
    told = {key: value.shape[0] if isinstance(value, torch.Tensor) and value.dim() else value for key, value in cache.items()}
    need(all(type(value) is int for value in told.values()))
    if told.get("max_seqlen", max(rows)) < max(rows) or told.get("min_seqlen", min(rows)) > min(rows):
        raise Broken("a jagged tensor's longest or shortest row is another than it says")


def _beyond_parts(made: Any, state: Any) -> Any:
    """Return a jagged tensor's attributes but for those that it was made of: they were checked, and stay what they are."""
    if not isinstance(state, dict):
        return state
    for name in _JAGGED:
        part = made.__dict__.get(name)
        if (
            name in state
            and state[name] is not part
            and not (type(part) in (int, dict) and type(state[name]) is type(part) and part == state[name])
        ):
            raise Broken(f"a jagged tensor is made of one {name} and given another")
    return {name: value for name, value in state.items() if name not in _JAGGED}


def _from_numpy(r: Rebuilder, data: Any, dtype: Any, device: Any, requires_grad: Any) -> Any:
    torch = r.tensors.torch
    need(isinstance(dtype, torch.dtype) and isinstance(device, str) and type(data).__module__ == "numpy")
    made = torch.from_numpy(data).to(dtype=dtype, device=_mapped(r, device))
    made.requires_grad = bool(requires_grad)
    return made


def _from_cpu(r: Rebuilder, data: Any, dtype: Any, device: Any, requires_grad: Any) -> Any:
    torch = _tensors(r, data)
    need(isinstance(dtype, torch.dtype) and isinstance(device, str))
    made = data.to(dtype=dtype, device=_mapped(r, device))
    made.requires_grad = bool(requires_grad)
    return made


def _mapped(r: Rebuilder, device: str) -> Optional[str]:
    where = r.tensors.map_location
    if isinstance(where, dict):
        where = where.get(device, device)
    return device if where is None or callable(where) else str(where)


CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "torch.Size": _size,
    "torch.device": _device,
    "torch.serialization._get_layout": _layout,
    "torch._utils._rebuild_device_tensor_from_numpy": _from_numpy,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _from_cpu,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta,
    "torch._utils._rebuild_nested_tensor": _nested,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter_with_state,
    "torch._utils._rebuild_qtensor": _quantized,
    "torch._utils._rebuild_sparse_csr_tensor": _compressed,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_xla_tensor": _from_numpy,
    "torch.nested._internal.nested_tensor._rebuild_njt": _jagged,
}

__all__ = ["CONSTRUCTORS", "INSTANCES", "Misplaced", "Tensors", "Unbuildable", "import_torch", "untyped"]
