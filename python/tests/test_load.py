"""Everything else that st.load takes and does."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import threading
import zipfile

import numpy
import pytest
import recipes
import torch
from conftest import saved_bytes

import secure_torch as st
from same import same

STATE = {"w": torch.arange(6.0).reshape(2, 3), "n": 3}


@pytest.mark.parametrize("form", ["str", "path", "bytes", "bytearray", "memoryview", "bytesio", "file", "unseekable"])
def test_what_can_be_loaded(saved, form):
    path = saved(STATE)
    data = path.read_bytes()

    class Unseekable(io.RawIOBase):
        def __init__(self):
            self.inner = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, b):
            return self.inner.readinto(b)

    given = {
        "str": str(path), "path": path, "bytes": data, "bytearray": bytearray(data), "memoryview": memoryview(data),
        "bytesio": io.BytesIO(data), "file": open(path, "rb"), "unseekable": Unseekable(),
    }[form]  # fmt: skip
    same(STATE, st.load(given))


@pytest.mark.parametrize("kind", ["bytesio", "file", "unbuffered"])
def test_two_saves_in_one_file_do_not_come_out_as_one(tmp_path, kind):
    both = saved_bytes({"first": 1}, legacy=True) + saved_bytes({"second": 2}, legacy=True)
    (tmp_path / "both.pt").write_bytes(both)
    with io.BytesIO(both) if kind == "bytesio" else open(tmp_path / "both.pt", "rb", 0 if kind == "unbuffered" else -1) as f:
        try:
            assert st.load(f) == {"first": 1}
        except st.SecurityError:  # what follows the first is not examined
            pass
        assert f.tell() == len(both) and f.read() == b""
        for call in (st.load, st.scan):
            with pytest.raises(ValueError, match="not at its beginning"):
                call(f)
        f.seek(3)
        with pytest.raises(ValueError, match="offset 3"):
            st.load(f)
        f.seek(0)
        assert st.scan(f).verdict and f.tell() == len(both)


@pytest.mark.parametrize("options", [{"mmap": False}, {"copy": "sealed"}, {"weights_only": False}], ids=str)
@pytest.mark.parametrize("legacy", [False, True])
def test_options_keep_the_numbers(saved, options, legacy):
    same(STATE, st.load(saved(STATE, legacy), **options))


def test_sealed_does_not_follow_the_file(saved):
    path = saved({"w": torch.ones(100_000)})
    sealed, copied = st.load(path, copy="sealed")["w"], st.load(path, mmap=False)["w"]
    with open(path, "r+b") as f:
        f.seek(0, 2)
        size = f.tell()
        f.seek(0)
        f.write(bytes(size))
    assert sealed.sum() == copied.sum() == 100_000


def test_map_location(saved):
    path = saved(STATE)
    same(STATE, st.load(path, map_location="cpu"))
    same(STATE, st.load(path, torch.device("cpu")))
    assert (
        st.load(path, map_location="meta")["w"].device.type
        == torch.load(path, map_location="meta", weights_only=False)["w"].device.type
        == "meta"
    )
    seen = []

    def keep(storage, location):
        seen.append((storage.nbytes(), location))
        return storage

    same(STATE, st.load(path, map_location=keep))
    assert seen == [(24, "cpu")]


@pytest.mark.parametrize("where", ["nonsense", {"cpu": "nonsense"}, torch.device])
def test_map_location_that_is_none_raises_as_in_torch(saved, where):
    path = saved(STATE)
    with pytest.raises(Exception) as theirs:
        torch.load(path, map_location=where, weights_only=False)
    with pytest.raises(type(theirs.value)) as ours:
        st.load(path, map_location=where)
    assert type(ours.value) is type(theirs.value) and str(ours.value) == str(theirs.value)


def cuda_zip():
    return recipes.torch_zip(recipes.tensor().replace(recipes.unicode("cpu"), recipes.unicode("cuda:0")))


def test_saved_on_another_device():
    assert st.load(cuda_zip(), map_location="cpu").tolist() == [1, 2, 3, 4]
    assert st.load(cuda_zip(), map_location={"cuda:0": "cpu"}).tolist() == [1, 2, 3, 4]
    assert st.load(cuda_zip(), map_location=lambda storage, _: storage).tolist() == [1, 2, 3, 4]
    if not torch.cuda.is_available():
        with pytest.raises(st.IncompleteScanError, match="map_location"):
            st.load(cuda_zip())


def test_conj_and_neg_bits():
    """The seventh argument of _rebuild_tensor_v2, which torch 2.0 added: silently wrong numbers without it."""
    more = b"}(" + recipes.unicode("conj") + b"\x88u"
    data = recipes.torch_zip(
        recipes.tensor(kind="ComplexFloatStorage", numel=2, size=(2,), more=more), {"0": struct.pack("<4f", 1, 2, 3, 4)}
    )
    made = st.load(data)
    assert made.is_conj() and made.tolist() == [1 - 2j, 3 - 4j]
    neg = recipes.torch_zip(recipes.tensor(more=b"}(" + recipes.unicode("neg") + b"\x88u"))
    assert st.load(neg).is_neg() and st.load(neg).tolist() == [-1, -2, -3, -4]


def test_big_endian_record():
    data = recipes.torch_zip(recipes.tensor(), {"0": struct.pack(">4f", 1, 2, 3, 4)}, extra=[("archive/byteorder", b"big")])
    assert st.load(data).tolist() == [1, 2, 3, 4]


def test_deflated_record():
    assert st.load(recipes.torch_zip(recipes.tensor(), compress=zipfile.ZIP_DEFLATED), max_threat_score=100).tolist() == [
        1,
        2,
        3,
        4,
    ]


def test_tensor_with_attributes():
    body = (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n"
        + recipes.tensor().removeprefix(b"ctorch._utils\n_rebuild_tensor_v2\n").removesuffix(b"R")
        + b"}" + recipes.unicode("tag") + b"K\x07stR"
    )  # fmt: skip
    made = st.load(recipes.torch_zip(body))
    assert made.tag == 7 and made.tolist() == [1, 2, 3, 4]


def test_meta_tensor():
    made = st.load(saved_bytes(torch.empty(2, 3, device="meta")))
    assert made.device.type == "meta" and made.shape == (2, 3)


def test_nested_tensor():
    body = (
        b"ctorch._utils\n_rebuild_nested_tensor\n(" + recipes.tensor()
        + recipes.tensor(key="s", kind="LongStorage", numel=2, size=(2, 1), stride=(1, 1))
        + recipes.tensor(key="t", kind="LongStorage", numel=2, size=(2, 1), stride=(1, 1)) + recipes.ints(0, 3) + b"tR"
    )  # fmt: skip
    records = {"0": struct.pack("<4f", 1, 2, 3, 4), "s": struct.pack("<2q", 3, 1), "t": struct.pack("<2q", 1, 1)}
    made = st.load(recipes.torch_zip(body, records))
    assert made.is_nested and [t.tolist() for t in made.unbind()] == [[1, 2, 3], [4]]
    with pytest.raises(st.IncompleteScanError, match="nested"):
        st.load(recipes.torch_zip(body, {**records, "s": struct.pack("<2q", 3, 9)}))


def test_sparse_out_of_range():
    body = (
        b"ctorch._utils\n_rebuild_sparse_tensor\n(ctorch.serialization\n_get_layout\n(" + recipes.unicode("torch.sparse_coo") + b"tR("
        + recipes.tensor(key="i", kind="LongStorage", numel=2, size=(1, 2), stride=(2, 1)) + recipes.tensor(size=(2,))
        + recipes.ints(5) + b"ttR"
    )  # fmt: skip
    good = {"0": struct.pack("<4f", 1, 2, 3, 4), "i": struct.pack("<2q", 0, 4)}
    assert st.load(recipes.torch_zip(body, good)).to_dense().tolist() == [1, 0, 0, 0, 2]
    with pytest.raises(st.IncompleteScanError):
        st.load(recipes.torch_zip(body, {**good, "i": struct.pack("<2q", 0, 10**9)}))


def test_tar_of_torch_0_1():
    """Written by hand: no torch writes these any more."""
    dump = lambda obj: pickle.dumps(obj, 2)  # noqa: E731
    storages = dump(1) + b"\x80\x02(K\x0a" + recipes.unicode("cpu") + b"ctorch\nFloatStorage\nt."
    storages += struct.pack("<q4f", 4, 1, 2, 3, 4) + dump([(11, 10, 1, 2)])
    tensors = dump(2)
    for key, storage, size in ((20, 10, 4), (21, 11, 2)):
        tensors += (
            b"\x80\x02(" + bytes([75, key, 75, storage]) + b"ctorch\nFloatTensor\nt." + struct.pack("<iiqqq", 1, 0, size, 1, 0)
        )
    body = b"\x80\x02}(" + recipes.unicode("a") + b"X\x02\x00\x00\x0020Q" + recipes.unicode("b") + b"X\x02\x00\x00\x0021Qu."
    data = recipes.tar_of(sys_info=dump({}), storages=storages, tensors=tensors, pickle=body)
    made = st.load(data)
    assert made["a"].tolist() == [1, 2, 3, 4] and made["b"].tolist() == [2, 3]
    made["b"][0] = 9
    assert made["a"][1] == 9


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_compressed_pickle(pack):
    want = {"a": numpy.arange(1000.0), "b": [1, "x"]}
    same(want, st.load(pack(pickle.dumps(want))))


def test_plain_pickle_with_a_tensor():
    want = {"t": torch.arange(5.0)[1:], "n": 1}
    for protocol in (2, 4):
        got = st.load(pickle.dumps(want, protocol))
        assert got["t"].tolist() == [1, 2, 3, 4] and got["t"].storage_offset() == 1


def test_python_2_pickle():
    data = b"(dp0\nS'w'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nS'b'\np5\ntp6\nRp7\n(I1\n(I2\ntp8\n"
    data += b"cnumpy\ndtype\np9\n(S'f4'\np10\nI0\nI1\ntp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\nS'\\x00\\x00\\x80?\\x00\\x00\\x00@'\np15\ntp16\nbs"
    data += b"S'x'\nc__builtin__\nxrange\n(I3\ntRsS'u'\nV\\u20ac\nsS'l'\nL12345678901234567890L\ns."
    got = st.load(data, max_threat_score=100)
    assert got["w"].tolist() == [1.0, 2.0] and got["x"] == range(3) and got["u"] == "\u20ac" and got["l"] == 12345678901234567890


def test_npy_and_npz(tmp_path):
    arrays = {
        "f": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)), "b": numpy.arange(3, dtype=">i4"), "e": numpy.zeros((0, 2)),
        "s": numpy.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), "u": numpy.array(["ab", "c"]), "0d": numpy.array(7),
    }  # fmt: skip
    for name, array in arrays.items():
        numpy.save(tmp_path / f"{name}.npy", array)
        same(numpy.load(tmp_path / f"{name}.npy"), st.numpy_load(tmp_path / f"{name}.npy"))
    numpy.save(tmp_path / "o.npy", numpy.array([1, "a", None], dtype=object))
    assert st.numpy_load(tmp_path / "o.npy").tolist() == [1, "a", None]
    for write in (numpy.savez, numpy.savez_compressed):
        write(tmp_path / "all.npz", **arrays)
        with numpy.load(tmp_path / "all.npz") as theirs, st.numpy_load(tmp_path / "all.npz") as ours:
            assert isinstance(ours, dict) and ours.files == theirs.files
            same({name: theirs[name] for name in theirs.files}, dict(ours))


def test_safetensors(tmp_path):
    tensors = {
        "a": torch.arange(6.0).reshape(2, 3),
        "b": torch.ones(3, dtype=torch.bfloat16),
        "c": torch.zeros(0),
        "d": torch.tensor(True),
    }
    st.save(tensors, tmp_path / "x.safetensors", {"k": "v"})
    got = st.load(tmp_path / "x.safetensors")
    same({name: tensors[name] for name in got}, got)
    assert set(got) == set(tensors)
    safetensors = pytest.importorskip("safetensors.torch")
    same({name: tensors[name] for name in got}, {name: safetensors.load_file(tmp_path / "x.safetensors")[name] for name in got})
    safetensors.save_file(tensors, tmp_path / "y.safetensors")
    theirs = st.load(tmp_path / "y.safetensors")
    same({name: tensors[name] for name in theirs}, theirs)


def module():
    torch.manual_seed(0)
    inner = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(8, 2, 16), 2)
    return torch.nn.Sequential(inner, torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Embedding(5, 4))


@pytest.mark.parametrize(
    "wrap", [lambda m: m, lambda m: {"model": m, "epoch": 1}, lambda m: {"state_dict": m.state_dict(), "x": 1}]
)
def test_state_dict_of_a_pickled_module(saved, wrap):
    want = module()
    path = saved(wrap(want))
    got = st.load(path, as_="state_dict")
    same(dict(want.state_dict()), dict(got))
    assert got._metadata == want.state_dict()._metadata
    other = module()
    for p in other.parameters():
        p.data.zero_()
    assert st.load(path, into=other) is other
    same(dict(want.state_dict()), dict(other.state_dict()))


def test_convert(saved, tmp_path):
    want = module()
    told = st.convert(saved({"model": want}), tmp_path / "out.safetensors")
    assert told["tensors"] == len(want.state_dict())
    got = st.load(tmp_path / "out.safetensors")
    for name, tensor in want.state_dict().items():
        assert torch.equal(got[name], tensor)
    w = torch.arange(6.0).reshape(2, 3)
    told = st.convert(saved({"a": w, "b": w, "t": w.t()}), tmp_path / "tied.safetensors")
    assert told["ties"] == {"b": "a"} and torch.equal(st.load(tmp_path / "tied.safetensors")["t"], w.t())
    with pytest.raises(st.UnsafeModelError):
        st.convert(recipes.torch_zip(recipes.call("posix", "system", "echo")), tmp_path / "no.safetensors")
    assert not (tmp_path / "no.safetensors").exists()


def test_audit_only():
    got, report = st.load(
        recipes.torch_zip(b"}" + recipes.unicode("x") + recipes.call("posix", "system", "echo") + b"s"), audit_only=True
    )
    assert report.verdict == "unsafe" and got["x"].origin == "posix.system" and not callable(got["x"])
    got, report = st.load(saved_bytes(STATE), audit_only=True)
    assert report.safe
    same(STATE, got)


def test_unsupported_is_refused_not_skipped(saved):
    for box in (st.Sandbox.WASM, st.Sandbox.PROCESS):
        with pytest.raises(st.SandboxUnavailable, match="SECCOMP is the one"):
            st.load(b"N.", sandbox=box)
    assert st.load(b"N.", sandbox=st.Sandbox.NONE) is None and st.load(b"N.", sandbox=False) is None
    with pytest.raises(ValueError, match="as_"):
        st.load(b"N.", as_="numpy")


def test_torchscript_is_refused(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "m.pt"))
    with pytest.raises(st.IncompleteScanError, match="TorchScript"):
        st.load(tmp_path / "m.pt", max_threat_score=100)
    with pytest.raises(st.UnsupportedFormatError, match="program"):
        st.torchscript(tmp_path / "m.pt")


def test_max_threat_score():
    data = b"\x80\x02cmy.pkg\nfunction\n)R."
    with pytest.raises(st.UnsafeModelError, match="highest score allowed is 20"):
        st.load(data, allow_opaque=True)
    assert st.load(data, allow_opaque=True, max_threat_score=100).origin == "my.pkg.function"


@pytest.mark.parametrize("data", [b"", b"\x00" * 4096, b"PK\x03\x04", b"\x80\x02", b"hello world\n" * 50, b"\x93NUMPY"])
def test_bad_files_raise(data, tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(data)
    with pytest.raises(st.SecurityError):
        st.load(path)


def test_truncated(saved):
    data = saved(STATE).read_bytes()
    for cut in range(1, len(data), max(1, len(data) // 20)):
        with pytest.raises(st.SecurityError):
            st.load(data[:cut])


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(st.IncompleteScanError, match="regular"):
        st.load(tmp_path / "fifo")
    with pytest.raises(st.IncompleteScanError, match="regular"):
        st.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        st.load(tmp_path / "absent.pt")
    with pytest.raises(FileNotFoundError):
        st.load("a\0b.pt")
    with pytest.raises(TypeError):
        st.load(42)


@pytest.mark.parametrize("name", ["with space.pt", "ünï.pt", "\u202egnp.pt", "--fd", "-x.pt", "a'b\"c.pt", "new\nline.pt"])
def test_odd_names(tmp_path, name):
    path = tmp_path / name
    torch.save(STATE, path)
    same(STATE, st.load(path))


def test_name_that_is_no_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.pt"
    pathlib.Path(os.fsdecode(path)).write_bytes(saved_bytes(STATE))
    same(STATE, st.load(os.fsdecode(path)))


def test_read_only_folder(saved, monkeypatch):
    path = saved(STATE)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    monkeypatch.chdir(path.parent)
    try:
        same(STATE, st.load(path.name))
    finally:
        path.parent.chmod(0o755)


def test_a_file_that_changes_is_refused(saved, monkeypatch):
    path = saved(STATE)
    from secure_torch import _binary

    index = _binary.index

    def slow(*args):
        answer = index(*args)
        with open(path, "ab") as f:
            f.write(b"x")
        return answer

    monkeypatch.setattr(_binary, "index", slow)
    with pytest.raises(st.IncompleteScanError, match="changed"):
        st.load(path)


def test_threads(saved):
    path = saved(STATE)
    failed = []

    def work():
        try:
            for _ in range(100 if os.environ.get("SECURE_TORCH_SOAK") else 5):
                same(STATE, st.load(path))
        except BaseException as err:
            failed.append(err)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed


def test_fork(saved):
    path = saved(STATE)
    st.load(path)
    child = os.fork()
    if child == 0:
        try:
            same(STATE, st.load(path))
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_descriptor_is_left(saved):
    path = saved(STATE)
    st.load(path, mmap=False)
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        st.load(path, mmap=False)
    assert len(os.listdir("/proc/self/fd")) <= len(before)


def test_walk_pickle():
    assert st.walk_pickle(pickle.dumps({"a": {1}, "b": 1j}, 2)) == ["builtins.complex", "builtins.set"]
    with pytest.raises(st.PickleExecutionError):
        st.walk_pickle(b"\x80\x02" + recipes.call("posix", "system", "echo") + b"0N.")
    with pytest.raises(st.PickleExecutionError, match="my.f"):
        st.walk_pickle(b"\x80\x02" + recipes.call("my", "f", "echo") + b"0N.", {"collections.OrderedDict"})
    assert st.walk_pickle(b"\x80\x02" + recipes.call("my", "f", "x") + b"0N.", {"my.f"}) == ["my.f"]
    with pytest.raises(st.SecurityError):
        st.walk_pickle(b"\x80\x02}")


def test_scan(saved):
    report = st.scan(saved(STATE))
    assert report.safe and report.threat_score == 0 and "zip" in report.formats
    report = st.scan(b"\x80\x02" + recipes.call("posix", "system", "echo") + b".")
    assert report.verdict == "unsafe" and report.grave[0].subject == "posix.system"


def test_save_refuses(tmp_path):
    for bad in ({"a": 1}, {1: torch.ones(1)}, {"a": torch.ones(2).to_sparse()}, {"a": torch.ones(1, dtype=torch.complex128)}):
        with pytest.raises(TypeError):
            st.save(bad, tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_missing_torch_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        st.load(recipes.torch_zip(recipes.tensor()))


def test_convert_on_the_command_line(saved, tmp_path):
    from secure_torch._binary import find_binary

    want = module()
    w = torch.arange(12.0).reshape(3, 4)
    for name, obj in (("module", {"model": want}), ("views", {"a": w, "b": w, "t": w.t(), "row": w[1], "e": torch.zeros(0, 2)})):
        out = tmp_path / f"{name}.safetensors"
        path = saved(obj, name=f"{name}.pt")
        done = subprocess.run([find_binary(), "convert", path, out], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        expected = st.load(path, as_="state_dict")
        got = st.load(out)
        assert set(got) == set(expected) - {"b"}
        for key in got:
            assert torch.equal(got[key], expected[key]) and got[key].dtype == expected[key].dtype
    done = subprocess.run([find_binary(), "convert", path, path, "--force"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "same file" in done.stderr
    same(st.load(path)["t"], w.t())
    path.write_bytes(b"\x80\x02" + recipes.call("posix", "system", "echo") + b".")
    done = subprocess.run(
        [find_binary(), "convert", path, tmp_path / "no.safetensors"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "not safe to load" in done.stderr and not (tmp_path / "no.safetensors").exists()


def test_convert_leaves_no_tensors_out_unasked(saved, tmp_path):
    w = torch.arange(4.0)
    path, out = saved({"state_dict": {"w": w}, "ema": {"w": w + 1}, "opt": {"state": {0: [w + 2]}}}), tmp_path / "out.safetensors"
    with pytest.raises(st.SecurityError, match=r"ema \(1 tensors\), opt \(1 tensors\)") as caught:
        st.convert(path, out)
    assert "pass all=True to take them" in str(caught.value) and "only='state_dict' to leave" in str(caught.value)
    assert "--" not in str(caught.value)
    assert not out.exists()
    assert st.convert(path, out, only="ema")["tensors"] == 1 and torch.equal(st.load(out)["w"], w + 1)
    with pytest.raises(st.SecurityError, match="net"):
        st.convert(path, out, only="net")
    assert st.convert(path.read_bytes(), out, all=True)["tensors"] == 3
    assert set(st.load(out)) == {"state_dict.w", "ema.w", "opt.state.0.0"}
    with pytest.raises(ValueError, match="exclude"):
        st.convert(path, out, only="ema", all=True)


def test_convert_says_what_it_leaves_out(saved, tmp_path):
    from secure_torch._binary import find_binary

    def run(obj, *flags):
        out = tmp_path / "out.safetensors"
        out.unlink(missing_ok=True)
        command = [find_binary(), "convert", saved(obj), out, *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert out.exists() == (done.returncode == 0)
        return done.returncode, done.stderr, sorted(st.load(out)) if out.exists() else None

    w = torch.arange(4.0)
    three = {"state_dict": {"w": w}, "ema": {"w": w + 1, "v": w + 2}, "opt": {"state": {0: {"avg": w + 3}}, "lr": [0.1, w + 4]}}
    code, told, _ = run(three)
    assert code == 2 and "4 tensors would be left out: ema (2 tensors), opt (2 tensors)" in told and "--only state_dict" in told
    code, told, names = run(three, "--only", "ema")
    assert (code, told, names) == (0, "", ["v", "w"])
    code, told, names = run(three, "--all")
    assert code == 0 and names == ["ema.v", "ema.w", "opt.lr.1", "opt.state.0.avg", "state_dict.w"] and "opt.lr.0" in told
    code, told, names = run({"a": w, "epoch": 3, "config": {"depth": {"x": 2}}})
    assert (code, told, names) == (0, "left out: epoch, config\n", ["a"])
    code, told, names = run({"a": w, "more": {"b": w + 1}})
    assert code == 2 and "more (1 tensors)" in told and "--only ." in told
    code, told, names = run({"a": w, "more": {"b": w + 1}}, "--only", ".")
    assert code == 0 and names == ["a"] and "more (1 tensors)" in told
    assert run({"a.b": {"c": {"w": w}}}, "--only", "a.b.c")[2] == ["w"]
    assert run({"a": {"w": w}}, "--only", "b")[0] == 2
    assert run({"model": module(), "epoch": 1})[0] == 0


def test_records_beyond_4_gb(tmp_path):
    """A sparse file in zip64, whose numbers lie behind a record of 4.5 GB that takes no room on the disk."""
    hole = 4_500_000_000
    body = b"}(" + b"".join(
        recipes.unicode(key) + recipes.tensor(key=key, numel=numel, size=(numel,)) for key, numel in (("0", hole // 4), ("1", 4))
    ) + b"u"  # fmt: skip
    with zipfile.ZipFile(tmp_path / "large.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + body + b".")
        with archive.open(zipfile.ZipInfo("archive/data/0"), "w", force_zip64=True) as record:
            archive.fp.seek(hole, os.SEEK_CUR)
            record._file_size = record._compress_size = hole
        archive.writestr("archive/data/1", struct.pack("<4f", 1, 2, 3, 4))
        archive.writestr("archive/version", b"3\n")
    got = st.load(tmp_path / "large.pt")
    assert got["1"].tolist() == [1, 2, 3, 4] and got["0"].shape == (hole // 4,) and got["0"][-1] == 0
