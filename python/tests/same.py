"""Deep equality of two loaded objects: types, dtypes, strides, offsets, bytes, gradients, ties, attributes."""

from __future__ import annotations

import argparse
import collections
import math
import types

import numpy
import torch


def bits(tensor):
    """The storage's bytes, whatever the dtype."""
    storage = tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage().untyped()
    return bytes(storage.tolist()) if storage.device.type == "cpu" else b""


def same_tensor(a, b, path):
    for what in ("dtype", "shape", "layout", "device", "requires_grad", "is_quantized", "is_nested"):
        if what == "shape" and a.is_nested:
            continue  # it has none
        assert getattr(a, what) == getattr(b, what), f"{path}: {what} {getattr(a, what)} != {getattr(b, what)}"
    assert type(a) is type(b), path
    assert vars(a).keys() == vars(b).keys(), path
    for key in vars(a):
        same(vars(a)[key], vars(b)[key], f"{path}.{key}")
    if a.layout != torch.strided:
        assert a.layout != torch.sparse_coo or a.is_coalesced() == b.is_coalesced(), path
        rows, columns = ("crow_indices", "col_indices", "values"), ("ccol_indices", "row_indices", "values")
        by_columns = (getattr(torch, "sparse_csc", None), getattr(torch, "sparse_bsc", None))
        for part in ("_indices", "_values") if a.layout is torch.sparse_coo else columns if a.layout in by_columns else rows:
            same_tensor(getattr(a, part)(), getattr(b, part)(), f"{path}.{part}")
        return
    if a.is_nested:
        for i, (x, y) in enumerate(zip(a.unbind(), b.unbind())):
            assert torch.equal(x, y), f"{path}[{i}]"
        return
    assert a.stride() == b.stride() and a.storage_offset() == b.storage_offset(), path
    assert a.is_conj() == b.is_conj() and a.is_neg() == b.is_neg(), path
    if a.is_quantized:
        assert a.qscheme() == b.qscheme(), path
        assert torch.equal(a.dequantize(), b.dequantize()), path
    assert bits(a) == bits(b), f"{path}: bytes differ"


def same(a, b, path="root", seen=None):
    """Assert that a and b are equal. Shared objects have to be shared the same way."""
    seen = {} if seen is None else seen
    if id(a) in seen:
        assert seen[id(a)] is b, f"{path}: shared in one, not in the other"
        return
    if isinstance(a, (list, dict, set, torch.Tensor, numpy.ndarray)):
        seen[id(a)] = b
    if isinstance(a, torch.Tensor):
        same_tensor(a, b, path)
    elif isinstance(a, (torch.storage.TypedStorage, torch.UntypedStorage)):
        assert type(a) is type(b) and a.tolist() == b.tolist(), path
    elif isinstance(a, (numpy.ndarray, numpy.generic)):
        same_array(a, b, path)
    elif isinstance(a, dict):
        assert type(a) is type(b) and list(a) == list(b), f"{path}: {type(a)} {type(b)}"
        for key in a:
            same(a[key], b[key], f"{path}[{key!r}]", seen)
        if isinstance(a, collections.defaultdict):
            assert a.default_factory is b.default_factory, path
        same(vars(a) if hasattr(a, "__dict__") else None, vars(b) if hasattr(b, "__dict__") else None, f"{path}.__dict__", seen)
    elif isinstance(a, (list, tuple)):
        assert type(a) is type(b) and len(a) == len(b), f"{path}: {a!r} {b!r}"
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, f"{path}[{i}]", seen)
    else:
        same_plain(a, b, path, seen)


def same_plain(a, b, path, seen):
    assert type(a) is type(b), f"{path}: {a!r} != {b!r}"
    if isinstance(a, (argparse.Namespace, types.SimpleNamespace)):
        same(vars(a), vars(b), f"{path}.__dict__", seen)
    elif isinstance(a, float) and math.isnan(a):
        assert math.isnan(b), path
    else:
        assert a == b, f"{path}: {a!r} != {b!r}"


def same_array(a, b, path):
    assert type(a) is type(b) and a.dtype == b.dtype and a.dtype.byteorder == b.dtype.byteorder, f"{path}: {a.dtype} {b.dtype}"
    assert a.shape == b.shape and (a.strides == b.strides or a.size == 0), path
    if a.dtype.hasobject:
        for x, y in zip(a.ravel(), b.ravel()):
            same(x, y, path)
    else:
        assert a.tobytes() == b.tobytes(), path


def ties(tensors):
    """Groups of tensors that lie in the same memory."""
    where = collections.defaultdict(list)
    for i, t in enumerate(tensors):
        where[t.storage().data_ptr()].append(i)
    return sorted(where.values())
