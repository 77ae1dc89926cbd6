"""st.load(sandbox=...): whole pickled modules, unpickled by a Python that can do nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import recipes
import torch

import secure_torch as st
from same import same
from secure_torch import _confined
from secure_torch._binary import find_binary
from secure_torch._source import opened
from secure_torch.loader import scan_source

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a confined Python needs Linux")

NETWORK = """
import os
import resource
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = torch.nn.Linear(3, 3)
        self.two = torch.nn.Linear(3, 3)
        self.two.weight = self.one.weight
        self.register_buffer("halves", torch.ones(2, dtype=torch.float16))
        self.register_buffer("brains", torch.ones(2, dtype=torch.bfloat16))
        self.register_buffer("empty", torch.ones(0, 4))

    def __setstate__(self, state):
        self.__dict__.update(state)
        %s
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module whose class runs a statement on loading, and save an instance: module(statement) -> path, name."""

    def make(statement="pass", name="their_network"):
        (tmp_path / f"{name}.py").write_text(NETWORK % statement)
        monkeypatch.syspath_prepend(tmp_path)
        made = __import__(name).Net()
        path = tmp_path / "model.pt"
        torch.save(made, path)
        sys.modules.pop(name)
        return path, made

    return make


def test_a_module_of_torch(saved):
    """Without a word about imports: the scan names the modules, and the allowlist has them."""
    whole = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3))
    for legacy in (False, True):
        got = st.load(saved(whole, legacy=legacy), sandbox=st.Sandbox.SECCOMP)
        want = whole.state_dict()
        same(dict(want), dict(got))
        assert list(got) == list(want) and got._metadata == want._metadata


def test_a_module_of_the_user(module):
    path, made = module()
    with pytest.raises(st.OpaqueObjectError, match="sandbox_imports=\\['their_network'\\]"):
        st.load(path, sandbox=True)
    got, report = st.load(path, sandbox=True, sandbox_imports=["their_network"], audit_only=True)
    want = made.state_dict()
    same(dict(want), dict(got))
    assert list(got) == list(want)
    ran = report.raw["program"]
    assert ran["outcome"] == "done" and ran["grade"].startswith("seccomp") and len(ran["profile"]["sha256"]) == 64
    made.load_state_dict(got)


def test_the_file_stays_where_it_was(module):
    path, _ = module()
    with open(path, "rb") as file:
        st.load(file, sandbox=True, sandbox_imports=["their_network"])
        assert file.tell() == os.path.getsize(path)


# What a class's own code may try while it is unpickled; {} stands for a path that must not come to be.
ATTEMPTS = {
    "system": ("os.system('/usr/bin/touch {}')", st.PickleExecutionError),
    "write": ("open('{}', 'w')", st.IncompleteScanError),
    "caught": ("try: open('{}', 'w')\n        except OSError: raise SystemExit(0)", st.IncompleteScanError),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_payload_is_contained(module, tmp_path, name):
    statement, error = ATTEMPTS[name]
    canary = tmp_path / "canary"
    path, _ = module(statement.format(canary))
    with pytest.raises(error) as caught:
        st.load(path, sandbox=True, sandbox_imports=["their_network"])
    assert not canary.exists() and caught.value.report is not None
    # The control run: without the sandbox the same file does it.
    code = f"import sys, torch; sys.path.insert(0, {str(tmp_path)!r}); torch.load({str(path)!r})"
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert canary.exists(), "the payload is not live: the test proves nothing"


def test_an_answer_that_may_be_cut_is_refused(module):
    """Also where the program itself says that all went well, and what it wrote can be read."""
    path, _ = module("os.pwrite(5, b'x', resource.getrlimit(resource.RLIMIT_FSIZE)[0] - 1)")
    with pytest.raises(st.IncompleteScanError, match="reached its limit") as caught:
        st.load(path, sandbox=True, sandbox_imports=["their_network"])
    ran = caught.value.report.raw["program"]
    assert ran["outcome"] == "done" and ran["output_limit_reached"]


def test_without_standard_input(saved):
    """What is opened then gets the numbers of the standard descriptors, which a child has for itself."""
    path = saved(torch.nn.Sequential(torch.nn.Linear(2, 2)))
    for lost in ((0,), (0, 1, 2)):
        code = f"import os, secure_torch as st\nfor fd in {lost}: os.close(fd)\nst.load({str(path)!r}, sandbox=True)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0, lost


def test_an_unsafe_file_is_refused_anyway(tmp_path):
    canary = tmp_path / "canary"
    path = tmp_path / "evil.pt"
    system = b"cposix\nsystem\nX" + len(f"touch {canary}").to_bytes(4, "little") + f"touch {canary}".encode() + b"\x85R"
    path.write_bytes(recipes.torch_zip(system))
    with pytest.raises(st.PickleExecutionError):
        st.load(path, sandbox=True, sandbox_imports=["posix"], max_threat_score=100)
    assert st.load(path, sandbox=True, audit_only=True)[0] is None
    assert not canary.exists()
    # Were it run all the same, it would be contained.
    with opened(path) as source, pytest.raises(st.PickleExecutionError, match="forbidden"):
        _confined.state_tensors(source, scan_source(source), [], ["posix"], None)
    assert not canary.exists()
    code = f"import torch; torch.load({str(path)!r})"
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert canary.exists(), "the payload is not live: the test proves nothing"


def test_plain_data_needs_no_python(saved, monkeypatch):
    """What can be rebuilt from its description is: nothing of the file runs, confined or not."""

    def never(*_):
        raise AssertionError("a Python was started")

    monkeypatch.setattr(_confined, "state_tensors", never)
    want = {"epoch": 3, "weight": torch.arange(4)}
    same(want, st.load(saved(want), sandbox=True))


def test_profiles(module, tmp_path):
    path, _ = module()
    profile = tmp_path / "profile.json"
    options = {"sandbox": True, "sandbox_imports": ["their_network"], "sandbox_profile": str(profile)}
    profile.write_text(
        '{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ["getrusage"], "action": "SCMP_ACT_ALLOW"}]}'
    )
    _, report = st.load(path, audit_only=True, **options)
    assert report.raw["program"]["profile"]["added"] == ["getrusage"]
    profile.write_text(
        '{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ALLOW"}]}'
    )
    with pytest.raises(st.SandboxUnavailable, match="execve can't be added"):
        st.load(path, **options)


@pytest.mark.parametrize(
    "about",
    ["{}", "[]", '{"order": ["a", "a"], "ties": {}, "versions": {}}', '{"order": [], "ties": {}, "versions": {}}', '{"order": ["b"], "ties": {"b": "c"}, "versions": {}}',
     '{"order": ["a"], "ties": {}, "versions": {"": "x"}}', '{"order": ["a"], "ties": [], "versions": {}}', '{"order": [[]], "ties": {}, "versions": {}}', "[" * 100000],
)  # fmt: skip
def test_a_forged_answer_is_refused(about):
    header = json.dumps({"__metadata__": {"secure_torch.state": about}}).encode()
    with pytest.raises(st.UnsupportedFormatError):
        _confined.restore({"a": torch.ones(1)}, header)


@pytest.mark.parametrize("box", ["seccomp", 1.5, object()])
def test_a_sandbox_is_not_guessed(box):
    with pytest.raises(TypeError):
        st.load(b"N.", sandbox=box)


@pytest.mark.skipif("SECURE_TORCH_BINARY" in os.environ, reason="that program was not built by the hook")
def test_wheel_holds_the_scan_worker():
    """The build hook builds twice; a wheel that forgot the first would work, and be slow."""
    out = subprocess.run([find_binary(), "doctor", "--json"], capture_output=True, check=True, timeout=120).stdout
    found = json.loads(out)
    assert found["executable"] == "scan-worker"
    assert found["ok"]
