"""Tensor subclasses: jagged nested tensors, the same where torch has them; distributed ones; and enums' flags."""

from __future__ import annotations

import enum
import importlib
import io
import sys
import types

import pytest
import torch
from conftest import saved_bytes

import secure_torch as st
from same import same

NEW = hasattr(torch, "jagged")
MODULE = "torch.nested._internal.nested_tensor"


def stand_in():
    """Make the module that writes a jagged tensor, for a torch that has none."""
    made = types.ModuleType(MODULE)
    for name, thing in (("NestedTensor", type("NestedTensor", (), {})), ("_rebuild_njt", lambda parts: parts)):
        thing.__module__, thing.__name__, thing.__qualname__ = MODULE, name, name
        setattr(made, name, thing)
    return made


@pytest.fixture
def written(monkeypatch):
    """Write a jagged tensor of these parts, whatever they are, and whatever torch this is: written(values, offsets, …) -> bytes."""
    module = importlib.import_module(MODULE) if NEW else stand_in()

    def write(values, offsets, lengths=None, axis=1, cache=None, state=None):
        class Jagged:
            def __reduce_ex__(self, protocol):
                parts = {"values": values, "offsets": offsets, "lengths": lengths, "_ragged_idx": axis}
                parts |= {"_metadata_cache": cache, "requires_grad": False}
                return torch._tensor._rebuild_from_type_v2, (module._rebuild_njt, module.NestedTensor, (parts,), state or {})

        with monkeypatch.context() as patch:  # it is there to be written only
            for name in ("torch.nested", "torch.nested._internal", MODULE):
                patch.setitem(sys.modules, name, module if name == MODULE else sys.modules.get(name, types.ModuleType(name)))
            return saved_bytes(Jagged())

    return write


def rows(kind):
    if kind == "narrowed":
        wide = torch.arange(24.0).reshape(3, 8)
        return torch.nested.narrow(wide, 1, torch.tensor([0, 1, 2]), torch.tensor([2, 3, 4]), layout=torch.jagged)
    parts = [torch.arange(6.0).reshape(3, 2), torch.arange(10.0).reshape(5, 2)]
    return torch.nested.nested_tensor(parts, layout=torch.jagged, requires_grad=kind == "gradient")


@pytest.mark.skipif(not NEW, reason="this torch has none; make test-matrix has newer ones")
@pytest.mark.parametrize("kind", ["plain", "narrowed", "gradient"])
def test_jagged(kind):
    data = saved_bytes({"x": rows(kind)})
    want, got = torch.load(io.BytesIO(data), weights_only=False)["x"], st.load(data)["x"]
    assert type(got) is type(want) and got.requires_grad == want.requires_grad and got.size(0) == want.size(0)
    assert vars(got).keys() == vars(want).keys()
    for name in ("_values", "_offsets", "_lengths", "_ragged_idx", "_metadata_cache"):
        same(vars(want)[name], vars(got)[name], name)
    assert all(torch.equal(a, b) for a, b in zip(got.unbind(), want.unbind()))


LIES = {
    "beyond the values": {"offsets": torch.tensor([0, 3, 9])},
    "backwards": {"offsets": torch.tensor([0, 5, 3, 8])},
    "before the values": {"offsets": torch.tensor([-1, 3, 8])},
    "lengths beyond": {"offsets": torch.tensor([0, 3, 8]), "lengths": torch.tensor([3, 6])},
    "a longest row that is none": {"offsets": torch.tensor([0, 3, 8]), "cache": {"max_seqlen": torch.zeros(2, 0)}},
    "another state": {"offsets": torch.tensor([0, 3, 8]), "state": {"_offsets": torch.tensor([0, 3, 90])}},
}


@pytest.mark.parametrize("name", LIES)
def test_lies_are_refused(written, name):
    data = written(torch.arange(8.0), **LIES[name])
    with pytest.raises(st.IncompleteScanError, match="jagged"):
        st.load(data)


def test_a_torch_without_them_says_so(written):
    data = written(torch.arange(8.0), torch.tensor([0, 3, 8]))
    if NEW:
        assert [row.tolist() for row in st.load(data).unbind()] == [[0, 1, 2], [3, 4, 5, 6, 7]]
        return
    with pytest.raises(st.IncompleteScanError, match="has no jagged nested tensors"):
        st.load(data)


def test_a_tensor_of_several_processes_says_so(monkeypatch):
    made = types.ModuleType("torch.distributed.device_mesh")
    made.DeviceMesh = type("DeviceMesh", (), {"__module__": made.__name__})
    monkeypatch.setitem(sys.modules, made.__name__, made)
    with pytest.raises(st.OpaqueObjectError, match=r"spread over processes \(DTensor\).*full_tensor"):
        st.load(saved_bytes({"mesh": made.DeviceMesh(), "w": torch.ones(2)}))


class Perm(enum.Flag):
    R = 4
    W = 2


Perm.__module__ = "mylib"


def test_flags_load_as_opaque(monkeypatch):
    """A class of one's own is no plain data, and no reason to refuse what asks for no more than that."""
    module = types.ModuleType("mylib")
    module.Perm = Perm
    monkeypatch.setitem(sys.modules, "mylib", module)
    data = saved_bytes({"p": Perm.R | Perm.W, "w": torch.ones(2)})
    got = st.load(data, allow_opaque=True)
    assert isinstance(got["p"], st.Opaque) and got["w"].tolist() == [1, 1]
    with pytest.raises(st.OpaqueObjectError):
        st.load(data)
