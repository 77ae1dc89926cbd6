"""Hypothesis: whatever the bytes are, the walker and the loader answer or raise a SecurityError, and agree with pickle."""

from __future__ import annotations

import json
import math
import os
import pickle
import struct

import recipes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

import secure_torch as st

soak = bool(os.environ.get("SECURE_TORCH_SOAK"))  # new examples every time, and more of them
few = settings(max_examples=1000 if soak else 60, derandomize=not soak, deadline=None, suppress_health_check=list(HealthCheck))
plain = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text() | some.binary(),
    lambda inner: some.lists(inner, max_size=4) | some.tuples(inner, inner) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=20,
)


@few
@given(plain, some.integers(0, 5))
def test_plain_data_is_what_pickle_reads(value, protocol):
    data = pickle.dumps(value, protocol)
    got = st.load(data, max_threat_score=100)
    assert got == value and type(got) is type(value)


@few
@given(some.binary(max_size=200))
def test_any_bytes(data):
    try:
        st.load(data)
    except st.SecurityError:
        pass


OPS = [b"N", b"(", b".", b"0", b"1", b"2", b")", b"]", b"}", b"t", b"l", b"d", b"e", b"u", b"a", b"s", b"R", b"b", b"\x81", b"\x85", b"\x93",
       b"\x8f", b"\x90", b"\x91", b"\x94", b"q\x00", b"h\x00", b"K\x01", b"X\x01\x00\x00\x00a", b"cm\nf\n", b"ccollections\nOrderedDict\n",
       b"cbuiltins\nset\n", b"Q", b"o", b"im\nf\n"]  # fmt: skip


@few
@given(some.lists(some.sampled_from(OPS), max_size=30))
def test_any_opcodes(ops):
    data = b"\x80\x04" + b"".join(ops) + b"."
    try:
        calls = st.walk_pickle(data, {"m.f", "collections.OrderedDict", "builtins.set"})
    except st.SecurityError:
        return
    assert set(calls) <= {"m.f", "collections.OrderedDict", "builtins.set"}


@few
@given(
    some.sampled_from(["posix.system", "builtins.exec", "my.f"]),
    some.lists(some.sampled_from([b"N0", b"]0", b"K\x01q\x010", b")0"]), max_size=10),
)
def test_a_call_is_never_overlooked(name, noise):
    module, function = name.split(".")
    data = b"\x80\x02" + b"".join(noise) + recipes.call(module, function, "echo") + b"0" + b"".join(noise) + b"N."
    try:
        st.walk_pickle(data, set())
    except st.PickleExecutionError:
        return
    raise AssertionError("walked past a call")


@few
@given(
    some.dictionaries(some.text(max_size=3), some.fixed_dictionaries({
        "dtype": some.sampled_from(["F32", "U8", "XX"]), "shape": some.lists(some.integers(-1, 5), max_size=2),
        "data_offsets": some.lists(some.integers(-1, 40), min_size=2, max_size=2),
    }), max_size=3),
    some.integers(0, 40),
)  # fmt: skip
def test_safetensors_header(header, size):
    text = json.dumps(header).encode()
    try:
        got = st.load(struct.pack("<Q", len(text)) + text + bytes(size))
    except st.SecurityError:
        return
    for name, tensor in got.items():
        begin, end = header[name]["data_offsets"]
        assert list(tensor.shape) == header[name]["shape"] and 0 <= begin <= end <= size
        assert math.prod(tensor.shape) * tensor.element_size() == end - begin
