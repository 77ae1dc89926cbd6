"""What needs no torch, for every Python that the package supports: scanning, plain pickles, numpy, the command line."""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import fractions
import importlib.metadata
import io
import os
import pathlib
import pickle
import random
import shutil
import subprocess
import sys
import threading
import types
import uuid

import numpy
import pytest

import secure_torch as st
from secure_torch import _binary

# A call that only echoes: the file must be refused for it, and it must not be made.
HOSTILE = b"\x80\x02cposix\nsystem\nX\x09\x00\x00\x00echo oops\x85R."

OBJECTS = {
    "numbers": [None, True, 0, -1, 2**31, -(2**63), 2**200, -(2**200), 1.5, float("inf"), -0.0, 1 + 2j],
    "text": ["", "a", "\x00\x1a\r\n\\'\"", "\u20ac", "\U0001f600", "\ud800", "x" * 300, b"", b"\xff", b"y" * 70000, bytearray(b"ab")],
    "containers": {"a": [1, (2, [])], 5: {6: ()}, (1, 2): {1, 2}, None: frozenset({1, frozenset()}), 1.5: slice(1, 2)},
    "collections": [
        collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("hello"), collections.deque([1], 3),
    ],
    "dates": [
        datetime.date(2020, 1, 2), datetime.time(1, 2), datetime.timedelta(-1), datetime.datetime(2020, 1, 2, 3, fold=1),
        datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "X")),
    ],
    "exact": [decimal.Decimal("-1.50"), fractions.Fraction(1, 3), uuid.UUID(int=7), range(3), ...],
    "paths": [pathlib.Path("a/b"), pathlib.PurePosixPath("/a"), pathlib.PureWindowsPath("c:/x")],
    "namespaces": [argparse.Namespace(a=1), types.SimpleNamespace(b=[2])],
    "types": [int, dict, type(None), object],
    "random": random.getstate(),
}  # fmt: skip


def same(want, got):
    assert type(want) is type(got)
    if isinstance(want, dict):
        assert list(want) == list(got)
        for key in want:
            same(want[key], got[key])
    elif isinstance(want, (list, tuple)):
        assert len(want) == len(got)
        for a, b in zip(want, got):
            same(a, b)
    elif isinstance(want, (numpy.ndarray, numpy.generic)):
        assert want.dtype == got.dtype and want.shape == got.shape and want.tolist() == got.tolist()
    else:
        assert want == got


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", OBJECTS)
def test_pickle(name, protocol):
    same(OBJECTS[name], st.load(pickle.dumps(OBJECTS[name], protocol)))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_in_a_pickle(protocol):
    want = {
        "c": numpy.arange(6.0).reshape(2, 3), "f": numpy.asfortranarray(numpy.arange(6).reshape(2, 3)), "large": numpy.arange(5000),
        "s": numpy.array([(1, 2.5)], dtype=[("a", "i4"), ("b", ">f8")]), "u": numpy.array(["ab", "c"]), "d": numpy.dtype("f4"),
        "n": numpy.float32(1.5), "o": numpy.array([[1, "a"], [None, [2]]], dtype=object), "t": numpy.array(["2020-01-02"], "M8[D]"),
    }  # fmt: skip
    same(want, st.load(pickle.dumps(want, protocol)))


def test_npy_and_npz(tmp_path):
    want = {"a": numpy.arange(3, dtype=">i4"), "b": numpy.zeros((0, 2)), "c": numpy.array([1, None], dtype=object)}
    for name, array in want.items():
        numpy.save(tmp_path / "x.npy", array)
        same(array, st.numpy_load(tmp_path / "x.npy"))
        assert name
    numpy.savez_compressed(tmp_path / "x.npz", **want)
    same(want, dict(st.numpy_load(tmp_path / "x.npz")))


def test_hostile(tmp_path):
    path = tmp_path / "a model.pkl"
    path.write_bytes(HOSTILE)
    for source in (path, str(path), HOSTILE, io.BytesIO(HOSTILE)):
        with pytest.raises(st.PickleExecutionError, match=r"posix\.system") as caught:
            st.load(source)
        assert caught.value.report.verdict == "unsafe"
    # The text names the file, where in it, and the call.
    with pytest.raises(st.PickleExecutionError, match=r"a model\.pkl.* at offset 0x\w+: would call posix\.system\('echo oops'\)"):
        st.load(path)
    with pytest.raises(st.PickleExecutionError):
        st.walk_pickle(HOSTILE)
    assert st.walk_pickle(pickle.dumps({1}, 2)) == ["builtins.set"]
    report = st.scan(path)
    assert report.verdict == "unsafe" and not report.safe and report.grave[0].subject == "posix.system"
    inert, _ = st.load(path, audit_only=True)
    assert isinstance(inert, st.Opaque) and inert.args == ("echo oops",) and not callable(inert)


class Own:
    def __init__(self):
        self.lr = 0.1


def test_classes_of_ones_own_stay_inert():
    data = pickle.dumps(Own())
    with pytest.raises(st.OpaqueObjectError, match="Own"):
        st.load(data)
    assert st.load(data, allow_opaque=True).lr == 0.1


def test_tensors_need_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    with pytest.raises(ImportError, match="pip install torch"):
        st.load(len(header).to_bytes(8, "little") + header + bytes(4))


def test_without_standard_streams(tmp_path):
    """What is opened then gets their numbers, which a child has for itself."""
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([1]))
    for given in (repr(str(path)), repr(pickle.dumps([1])), f"open({str(path)!r}, 'rb')"):
        code = f"import os, secure_torch as st\nfor fd in (0, 1, 2): os.close(fd)\nassert st.load({given}) == [1]"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0, given


def test_threads():
    want, failed = pickle.dumps(OBJECTS["containers"]), []

    def work():
        try:
            for _ in range(3):
                same(OBJECTS["containers"], st.load(want))
        except BaseException as err:
            failed.append(err)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed


def test_installed_whole():
    """The executable, its version, the typing marker, and no dependency."""
    told = subprocess.run([sys.executable, "-m", "secure_torch", "version"], capture_output=True, text=True, check=True).stdout
    assert st.__version__ in told
    assert importlib.metadata.version("secure-torch") == st.__version__
    assert all("extra ==" in need for need in importlib.metadata.requires("secure-torch") or [])
    assert (pathlib.Path(st.__file__).parent / "py.typed").is_file()
    with pytest.raises(st.SecurityError, match="reinstall"):
        _binary.check_version("99.0.0")


def test_everything_public_is_documented():
    for name in st.__all__:
        if name != "__version__":
            assert (getattr(st, name).__doc__ or "").strip(), name


@pytest.mark.parametrize("binary", ["absent", "not executable"])
def test_without_the_program(tmp_path, binary):
    """`python -m secure_torch` says what is missing in one line."""
    package = tmp_path / "a" / "b"
    shutil.copytree(pathlib.Path(st.__file__).parent, package / "secure_torch")
    program = tmp_path / "program"
    if binary == "not executable":
        program.write_bytes(b"")
        program.chmod(0o600)
    command = [sys.executable, "-m", "secure_torch", "version"]
    env = {**os.environ, "SECURE_TORCH_BINARY": str(program)}
    done = subprocess.run(command, cwd=package, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: ") and str(program) in done.stderr and done.stderr.count("\n") == 1


def test_no_number_is_no_permission():
    """A limit that compares with nothing lets nothing through."""
    with pytest.raises(st.UnsafeModelError, match="highest score allowed is nan"):
        st.load(pickle.dumps([1]), max_threat_score=float("nan"))
    for wrong in ("20", None):
        with pytest.raises(TypeError, match="max_threat_score="):
            st.load(pickle.dumps([1]), max_threat_score=wrong)


def test_from_pretrained_calls_classes(tmp_path):
    """A name out of somebody's settings can't make it call whatever there is."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(TypeError, match="'os.listdir' is no class"):
        st.from_pretrained("os.listdir", str(tmp_path))
