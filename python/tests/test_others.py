"""The loaders beside torch's, with the real onnx, onnxruntime and joblib."""

from __future__ import annotations

import hashlib
import json
import os

import joblib
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import secure_torch as st
from same import same

ONE = {"x": np.array([1, 1], np.float32)}


@pytest.fixture
def adds(tmp_path):
    """A model that adds [1, 2], written by onnx."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    b = onnx.numpy_helper.from_array(np.array([1, 2], np.float32), "b")
    graph = helper.make_graph([helper.make_node("Add", ["x", "b"], ["y"])], "g", [x], [y], [b])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    return made


def test_onnx_session(adds, tmp_path):
    onnx.save(adds, tmp_path / "m.onnx")
    for source in (tmp_path / "m.onnx", adds.SerializeToString(), open(tmp_path / "m.onnx", "rb")):
        assert st.onnx_session(source).run(None, ONE)[0].tolist() == [2, 3]


def test_onnx_with_external_data(adds, tmp_path):
    path = tmp_path / "m.onnx"
    onnx.save_model(adds, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(st.UnsupportedFormatError, match="save_as_external_data=False"):
        st.onnx_session(path)
    adds = onnx.load(path, load_external_data=False)
    for entry in adds.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../../../etc/passwd"
    with pytest.raises(st.UnsafeModelError, match=r"\.\./etc/passwd"):
        st.onnx_session(adds.SerializeToString())


def test_onnx_refuses(adds, tmp_path):
    import onnxruntime

    good = adds.SerializeToString()
    for bad in (b"", good[:-9], b"\x80\x04N."):
        with pytest.raises(st.SecurityError):
            st.onnx_session(bad)
    options = onnxruntime.SessionOptions()
    with pytest.raises(st.UnsafeModelError, match="allow_custom_ops"):
        st.onnx_session(good, sess_options=options)
    assert st.onnx_session(good, sess_options=options, allow_custom_ops=True).run(None, ONE)[0].tolist() == [2, 3]


def test_onnx_sbom(adds, tmp_path):
    path = tmp_path / "m.onnx"
    onnx.save(adds, path)
    for target, option in ((tmp_path / "m.onnx.spdx.json", True), (tmp_path / "other.json", tmp_path / "other.json")):
        assert st.onnx_session(path, emit_sbom=option).run(None, ONE)[0].tolist() == [2, 3]
        assert hashlib.sha256(path.read_bytes()).hexdigest() in target.read_text()
        assert json.loads(target.read_text())["@context"].startswith("https://spdx.org/rdf/3.0.1/")
    with pytest.raises(TypeError, match="emit_sbom"):
        st.onnx_session(adds.SerializeToString(), emit_sbom=True)
    with pytest.raises(st.PolicyError, match="SBOM"):
        st.onnx_session(path, emit_sbom=tmp_path / "absent" / "x.json")


VALUES = {
    "matrix": np.arange(12, dtype=np.float32).reshape(3, 4),
    "column order": np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
    "big-endian": np.arange(5, dtype=">i4"),
    "structured": np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i4"), ("b", "<f8")]),
    "text": np.array(["a", "bcd", "ä"]),
    "no dimensions": np.array(3.5),
    "empty": np.zeros((0, 3)),
    "strided": np.arange(20)[::2],
    "flags and dates": [np.array([True, False]), np.array(["2020-01-01"], dtype="datetime64[D]"), np.float64(2.5)],
    "plain data": {"a": [1, 2.5, None, True, "x", b"y", (1, {2})], "b": np.ones(3), "c": {"d": np.zeros((2, 2), complex)}},
    "one array twice": [VALUE := np.arange(4), VALUE],
}


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)], ids=str)
@pytest.mark.parametrize("name", VALUES)
def test_joblib_is_equal(name, compress, tmp_path):
    path = tmp_path / "value.joblib"
    joblib.dump(VALUES[name], path, compress=compress)
    same(st.joblib_load(path, allow_opaque=False), joblib.load(path))


class Payload:
    def __reduce__(self):
        return (os.system, ("echo pwned",))


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("lzma", 3)], ids=str)
def test_joblib_refuses_a_call_behind_an_array(compress, tmp_path):
    path = tmp_path / "value.joblib"
    joblib.dump([np.arange(100), Payload()], path, compress=compress)
    with pytest.raises(st.PickleExecutionError, match="echo pwned"):
        st.joblib_load(path)
