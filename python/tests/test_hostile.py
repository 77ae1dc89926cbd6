"""Hostile files raise, and nothing of them runs: watched by an audit hook in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy
import pytest
import recipes
import torch

import secure_torch as st

# Fails on everything that a payload could want and that loading does not need. Our own programs are the only ones allowed.
GUARDED = """
import json, os, sys
import torch, numpy
import secure_torch as st
from secure_torch._binary import _small, find_binary
ours, folder, seen = {find_binary(), _small()}, sys.argv[1], []
def hook(event, args):
    if event in ("os.system", "os.posix_spawn", "os.exec", "exec", "os.fork", "pty.spawn", "socket.connect", "ctypes.dlopen"):
        seen.append(f"{event} {args!r}"[:200]); raise RuntimeError(event)
    if event == "subprocess.Popen" and os.fsdecode(args[0]) not in ours:
        seen.append(f"{event} {args!r}"[:200]); raise RuntimeError(event)
    if event == "pickle.find_class":
        seen.append(f"{event} {args!r}"); raise RuntimeError(event)
    if event == "open" and args[0] != os.devnull and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(f"{event} {args!r}"); raise RuntimeError(event)
st.load(sys.argv[2])  # what is imported lazily
sys.addaudithook(hook)
out = {}
for name in sorted(os.listdir(folder)):
    for how in ({}, {"allow_opaque": True}, {"as_": "state_dict"}, {"mmap": False}, {"audit_only": True}):
        try:
            got = st.load(os.path.join(folder, name), **how)
            out[f"{name} {how}"] = "audited" if how == {"audit_only": True} else "loaded"
        except st.SecurityError as err:
            out[f"{name} {how}"] = type(err).__name__
print(json.dumps({"out": out, "seen": seen}))
"""


def test_nothing_runs(tmp_path):
    canary, folder = tmp_path / "canary", tmp_path / "models"
    folder.mkdir()
    names = []
    for name, data in recipes.hostile(canary):
        (folder / f"{name}.pt").write_bytes(data)
        names.append(f"{name}.pt")
    warm = tmp_path / "warm.pt"
    torch.save({"t": torch.ones(2), "n": numpy.ones(2)}, warm)
    done = subprocess.run([sys.executable, "-c", GUARDED, str(folder), str(warm)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert got["seen"] == []
    assert not canary.exists()
    assert {key.split()[0] for key in got["out"]} == set(names)
    for key, outcome in got["out"].items():
        allowed = {"audited", "SecurityError"} if "audit_only" in key else {"PickleExecutionError", "UnsafeModelError"}
        assert outcome in allowed, f"{key}: {outcome}"


def test_the_recipes_are_hostile(tmp_path):
    """The canary can sing: a real unpickler runs these payloads."""
    canary = tmp_path / "canary"
    files = dict(recipes.hostile(canary))
    for name in ("plain", "protocol0", "stack_global", "inst", "obj", "popped", "eval", "exec", "subprocess"):
        load = f"import pickle; pickle.loads({files[name]!r})"
        subprocess.run([sys.executable, "-c", load], capture_output=True, check=False)
        assert canary.exists(), name
        canary.unlink()


def test_message_names_file_member_offset_and_call(tmp_path):
    path = tmp_path / "evil.pt"
    path.write_bytes(recipes.torch_zip(recipes.call("posix", "system", "echo pwned")))
    with pytest.raises(st.PickleExecutionError) as caught:
        st.load(path)
    text = str(caught.value)
    assert "evil.pt" in text and "archive/data.pkl" in text and "offset 0x" in text and "posix.system('echo pwned')" in text
    report = caught.value.report
    assert report.verdict == "unsafe" and report.threat_level == "CRITICAL" and report.findings[0].rule == "ST201"


OUT_OF_BOUNDS = {
    "offset": {"offset": 1},
    "size": {"size": (5,)},
    "stride": {"size": (2,), "stride": (4,)},
    "negative_stride": {"size": (2,), "stride": (-1,), "offset": 3},
    "negative_offset": {"offset": -1},
    "negative_size": {"size": (-4,)},
    "overflow": {"size": (2**62, 2**62), "stride": (2**62, 1)},
    "record_is_short": {"numel": 1000, "size": (1000,)},
    "record_is_absent": {"key": "7"},
    "negative_numel": {"numel": -4},
}


@pytest.mark.parametrize("case", OUT_OF_BOUNDS)
def test_out_of_bounds(case):
    with pytest.raises(st.SecurityError):
        st.load(recipes.torch_zip(recipes.tensor(**OUT_OF_BOUNDS[case])), max_threat_score=100)


def test_legacy_out_of_bounds():
    head = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
    body = b"\x80\x02" + recipes.tensor(legacy=True, numel=4) + b".\x80\x02]" + recipes.unicode("0") + b"a."
    good = head + body + (4).to_bytes(8, "little") + bytes(16)
    assert st.load(good).tolist() == [0, 0, 0, 0]
    for bad in (good[:-1], head + body + (5).to_bytes(8, "little") + bytes(20), head + body):
        with pytest.raises(st.SecurityError):
            st.load(bad)


def test_a_key_of_doubled_tuples_is_refused():
    laughs = b"\x80\x02}" + b")" + b"2\x86" * 60 + b"Ns."
    with pytest.raises(st.IncompleteScanError, match="too many parts"):
        st.load(laughs, max_threat_score=100)


def test_doubled_tuples_are_harmless():
    made = st.load(b"\x80\x02)" + b"2\x86" * 60 + b".", max_threat_score=100)
    assert made[0] is made[1]


@pytest.mark.parametrize("name", ["update", "__class__", "keys", "__dict__"])
def test_attributes_hide_nothing_of_a_class(name):
    data = b"\x80\x02ccollections\nOrderedDict\n)R}" + recipes.unicode(name) + b"K\x01sb."
    with pytest.raises(st.SecurityError):
        st.load(data, max_threat_score=100)


def test_opaque_is_inert():
    data = b"\x80\x02cmy.pkg\nThing\n)\x81}" + recipes.unicode("lr") + b"K\x05sb."
    with pytest.raises(st.OpaqueObjectError, match=r"my\.pkg\.Thing"):
        st.load(data)
    thing = st.load(data, allow_opaque=True)
    assert thing.lr == 5 and thing.state == {"lr": 5} and thing.origin == "my.pkg.Thing" and "my.pkg.Thing" in repr(thing)
    assert not callable(thing) and "my.pkg" not in sys.modules
    with pytest.raises(AttributeError):
        thing.other
    import copy

    with pytest.raises(TypeError):
        copy.deepcopy(thing)


def test_loading_does_not_import_pickle():
    code = "import sys; import secure_torch as st; st.load(b'N.'); assert 'pickle' not in sys.modules, 'pickle'"
    assert subprocess.run([sys.executable, "-S", "-c", code], check=False, env=path_only()).returncode == 0


def path_only():
    import os
    from pathlib import Path

    from secure_torch._binary import find_binary

    root = str(Path(st.__file__).resolve().parent.parent)
    return {**os.environ, "PYTHONPATH": root, "SECURE_TORCH_BINARY": find_binary()}
