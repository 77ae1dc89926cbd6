"""What real torch saves in this run, st.load gives back equal to what torch.load gives."""

from __future__ import annotations

import argparse
import array
import collections
import datetime
import decimal
import fractions
import pathlib
import random
import types
import uuid

import numpy
import pytest
import torch

import secure_torch as st
from same import same, ties

DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool, torch.complex64, torch.complex128,
]  # fmt: skip
# Of torch 2. The old format has no class of storages for them: torch itself can't read what it writes.
NEW = [getattr(torch, n) for n in ("uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2") if hasattr(torch, n)]


def of(dtype, *shape):
    """A tensor of different bytes in every element."""
    count = int(numpy.prod(shape)) if shape else 1
    item = torch.empty(0, dtype=dtype).element_size()
    raw = (torch.arange(count * item) * 37 % 101).to(torch.uint8)
    if dtype is torch.bool:
        raw = raw % 2
    return (
        torch.frombuffer(bytearray(raw.numpy().tobytes()), dtype=dtype).clone().reshape(shape)
        if count
        else torch.empty(shape, dtype=dtype)
    )


LAYOUTS = {
    "contiguous": lambda d: of(d, 3, 4),
    "transposed": lambda d: of(d, 3, 4).t(),
    "sliced": lambda d: of(d, 5, 6)[1:4, 2:5],
    "stepped": lambda d: of(d, 10)[::3],
    "expanded": lambda d: of(d, 3, 1).expand(3, 4),
    "channels_last": lambda d: of(d, 2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    "scalar": of,
    "empty": lambda d: of(d, 0, 3),
    "ones": lambda d: of(d, 1, 5, 1),
    "last": lambda d: of(d, 7)[6:],
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES + NEW, ids=str)
def test_tensor(saved, dtype, layout, legacy):
    if legacy and dtype in NEW:
        pytest.skip("torch can't")
    path = saved({"t": LAYOUTS[layout](dtype)}, legacy)
    same(torch.load(path, weights_only=False), st.load(path))


# Dtypes that nearly nothing can be computed in: torch saves and loads them all the same.
STORED = ["float8_e8m0fnu", "float4_e2m1fn_x2", "bits8", "bits16", "bits1x8", "bits2x4", "bits4x2", "bcomplex32"]


@pytest.mark.parametrize("name", STORED)
def test_stored_dtype(saved, name):
    if not hasattr(torch, name):
        pytest.skip("this torch has no such dtype")
    raw = torch.arange(24, dtype=torch.uint8)
    path = saved({"t": raw.view(getattr(torch, name))})
    got = st.load(path)["t"]
    assert got.dtype is getattr(torch, name) and got.shape == torch.load(path, weights_only=False)["t"].shape
    assert bytes(got.untyped_storage()) == bytes(raw.untyped_storage())


def model():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Embedding(5, 4), torch.nn.TransformerEncoderLayer(8, 2, 16)
    )


def stepped():
    m = model()
    opt = torch.optim.AdamW(m.parameters())
    m[0](torch.ones(1, 3, 5, 5)).sum().backward()
    opt.step()
    return {"model": m.state_dict(), "optim": opt.state_dict(), "epoch": 3, "lr": 0.1}


def tied():
    w = torch.arange(12.0).reshape(3, 4)
    return {"a": w, "b": w, "row": w[1], "t": w.t(), "other": torch.arange(12.0)}


def cyclic():
    items = [1]
    items.append(items)
    return items


class Owner:
    pass


def attributed():
    made = torch.ones(2)
    made.tag = [1, {"a": made}]
    return made


def schedulers():
    optim = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    of = torch.optim.lr_scheduler
    made = [of.StepLR(optim, 2), of.MultiStepLR(optim, [2, 3]), of.CosineAnnealingLR(optim, 9), of.ReduceLROnPlateau(optim)]
    optim.step()
    for scheduler in made:
        scheduler.step(*([1.0] if isinstance(scheduler, of.ReduceLROnPlateau) else []))
    return [s.state_dict() for s in made]


def lightning():
    """What pytorch_lightning's checkpoints look like."""
    progress = {"total": {"ready": 1, "completed": 2}, "is_last_batch": True}
    best = {"best_model_score": torch.tensor(0.25), "best_k_models": {"x.ckpt": torch.tensor(0.25)}, "dirpath": pathlib.Path("x")}
    return {
        "epoch": 3, "pytorch-lightning_version": "2.1.0", **stepped(), "lr_schedulers": schedulers(),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_loop.batch_progress": progress}},
        "callbacks": {"ModelCheckpoint{'monitor': 'val'}": best}, "hyper_parameters": {"lr": 1e-3, "layers": (1, 2)},
    }  # fmt: skip


OBJECTS = {
    "state_dict": lambda: model().state_dict(),
    "checkpoint": stepped,
    "tied": tied,
    "parameter": lambda: torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "requires_grad": lambda: torch.ones(2, requires_grad=True),
    "parameter_list": lambda: [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.zeros(2))],
    "quantized": lambda: torch.quantize_per_tensor(torch.arange(6.0), 0.5, 3, torch.quint8),
    "quantized_int32": lambda: torch.quantize_per_tensor(torch.arange(6.0), 0.5, 3, torch.qint32),
    "quantized_channels": lambda: torch.quantize_per_channel(
        torch.arange(6.0).reshape(2, 3), torch.tensor([0.1, 0.2]), torch.tensor([1, 2]), 0, torch.qint8
    ),
    "quantized_packed": lambda: [
        torch.quantize_per_channel(torch.arange(15.0).reshape(3, 5), torch.tensor([0.1, 0.2, 0.3]), torch.zeros(3), 0, dtype)
        for dtype in (torch.quint8, torch.quint4x2)
    ],
    "sparse": lambda: torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3)),
    "coalesced": lambda: torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3)).coalesce(),
    "csr": lambda: torch.tensor([[0.0, 1.0], [2.0, 0.0]]).to_sparse_csr(),
    "hybrid": lambda: torch.sparse_coo_tensor([[0, 2]], torch.ones(2, 3), (4, 3)),
    "empty_sparse": lambda: torch.sparse_coo_tensor(torch.zeros(2, 0, dtype=torch.long), torch.zeros(0), (4, 3)),
    "batched_csr": lambda: torch.stack([torch.eye(3)] * 2).to_sparse_csr(),
    "meta": lambda: {"m": torch.empty(2, 3, device="meta").t(), "p": torch.nn.Parameter(torch.empty(3, device="meta"))},
    "attributes": attributed,
    "overlap": lambda: [torch.arange(10.0).as_strided((3, 4), (2, 1)), torch.arange(3.0).as_strided((3, 4), (1, 0))],
    "schedulers": schedulers,
    "lightning": lightning,
    "size": lambda: torch.ones(2, 3).shape,
    "device": lambda: [torch.device("cpu"), torch.device("cuda", 1)],
    "dtype": lambda: [torch.float32, torch.int8, torch.strided],
    "storage": lambda: torch.arange(4).storage(),
    "scalars": lambda: [None, True, False, 0, -1, 255, 65535, -(2**31), 2**63 - 1, 2**63, -(2**200), 1.5, float("inf"), -0.0],
    "nan": lambda: [float("nan")],
    "text": lambda: ["", "a", "äöü", "\u20ac", "\U0001f600", "a\nb\\c\"'", "x" * 300, "x" * 70000],
    "surrogate": lambda: ["\ud800", "a\udfffb"],
    "bytes": lambda: [b"", b"abc", bytes(range(256)), b"x" * 100_000, bytearray(b"ab"), bytearray()],
    "nested": lambda: {"a": [1, (2, (3, [4, {"b": ()}])), ()], 5: {6: {}}, (1, 2): "t", None: 0, 1.5: 2},
    "sets": lambda: [set(), {1, 2}, frozenset({1, "a"}), frozenset()],
    "set_of_tuples": lambda: {(1, 2), (3, (4, 5))},
    "complex": lambda: [1 + 2j, complex("inf")],
    "slice": lambda: [slice(1, 2, 3), slice(None)],
    "range": lambda: [range(5), range(1, 10, 3)],
    "ordered": lambda: collections.OrderedDict([("b", 1), ("a", 2)]),
    "defaultdict": lambda: collections.defaultdict(list, {"a": [1]}),
    "counter": lambda: collections.Counter("hello"),
    "deque": lambda: [collections.deque([1, 2]), collections.deque([1, 2], 3)],
    "cyclic": cyclic,
    "shared": lambda: [[1], *[[2]] * 3],
    "dates": lambda: [
        datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.time(1, 2), datetime.timedelta(1, 2, 3),
        datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc),
    ],
    "decimal": lambda: decimal.Decimal("1.50"),
    "fractions": lambda: [fractions.Fraction(1, 3), fractions.Fraction(-2), decimal.Decimal("Infinity")],
    "paths": lambda: [pathlib.PurePosixPath("/a/b"), pathlib.Path("c/d"), pathlib.PureWindowsPath("c:/x")],
    "namespaces": lambda: [argparse.Namespace(lr=0.1, w=torch.ones(2), n=argparse.Namespace()), types.SimpleNamespace(a=[1])],
    "uuid": lambda: [uuid.UUID(int=5), {uuid.UUID(int=2**127): 1}],
    "arrays": lambda: [array.array("f", [1, 2]), array.array("q", [2**40]), array.array("b"), array.array("u", "ab")],
    "singletons": lambda: [..., NotImplemented, type(None), type(...)],
    "types": lambda: [int, object, range, slice, dict, collections.deque, collections.defaultdict, array.array],
    "random": lambda: [random.getstate(), numpy.random.get_state(), torch.random.get_rng_state()],
    "numpy_scalars": lambda: [numpy.float32(1.5), numpy.int64(3), numpy.bool_(True), numpy.complex64(1j), numpy.str_("ab")],
    "numpy": lambda: [numpy.arange(6.0).reshape(2, 3), numpy.arange(3, dtype="i2"), numpy.array(5), numpy.zeros((0, 3))],
    "numpy_fortran": lambda: numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
    "numpy_big_endian": lambda: numpy.arange(3, dtype=">i4"),
    "numpy_text": lambda: [numpy.array(["ab", "cde"]), numpy.array([b"ab", b"cde"])],
    "numpy_struct": lambda: numpy.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "numpy_subarray": lambda: numpy.zeros(2, dtype=[("a", "i4", (2, 2)), ("n", [("x", "u1")])]),
    "numpy_aligned": lambda: numpy.zeros(2, dtype=numpy.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "numpy_dates": lambda: numpy.array(["2020-01-01", "2021-02-03"], dtype="M8[D]"),
    "numpy_struct_big_endian": lambda: numpy.array([(1, 2.5)], dtype=[("a", ">i4"), ("b", "<f8")]),
    "numpy_objects": lambda: numpy.array([1, "a", None, [1, 2]], dtype=object),
    "numpy_objects_fortran": lambda: numpy.asfortranarray(numpy.array([[1, "a", 3], [None, 2.0, "b"]], dtype=object)),
    "numpy_object": lambda: numpy.array({"a": 1}, dtype=object),
    "numpy_large": lambda: numpy.arange(100_000),
    "numpy_dtype": lambda: [numpy.dtype("f4"), numpy.dtype(">i2"), numpy.dtype("U5")],
}  # fmt: skip


if hasattr(torch.serialization, "add_safe_globals"):  # torch 1.13 can't save these
    OBJECTS.update({
        "compressed": lambda: [
            torch.eye(4).to_sparse_csc(), torch.eye(4).to_sparse_bsr((2, 2)), torch.eye(4).to_sparse_bsc((2, 2)),
        ],
        "conj": lambda: [torch.complex(torch.ones(2), torch.ones(2)).conj(), torch.complex(torch.ones(2), torch.ones(2)).conj().imag],
        "buffer": lambda: torch.nn.Buffer(torch.ones(2)),
        "dtypes": lambda: [torch.int4, torch.uint1, torch.uint16, torch.float8_e4m3fn],
    })  # fmt: skip


@pytest.mark.parametrize("form", ["zip2", "zip3", "zip4", "zip5", "legacy2", "legacy4"])
@pytest.mark.parametrize("name", OBJECTS)
def test_object(saved, name, form):
    path = saved(OBJECTS[name](), form.startswith("legacy"), int(form[-1]))
    want = torch.load(path, weights_only=False)
    got = st.load(path)
    if name == "cyclic":
        assert got[0] == 1 and got[1] is got
        return
    same(want, got)


@pytest.mark.parametrize("legacy", [False, True])
def test_ties_stay(saved, legacy):
    path = saved(tied(), legacy)
    want, got = torch.load(path, weights_only=False), st.load(path)
    assert ties(want.values()) == ties(got.values())
    got["a"][1, 0] = 99
    assert got["row"][0] == 99 and got["t"][0, 1] == 99 and got["b"] is got["a"]


def test_writing_changes_no_file(saved):
    path = saved({"t": torch.zeros(1000)})
    before = path.read_bytes()
    st.load(path)["t"].fill_(7)
    assert path.read_bytes() == before
