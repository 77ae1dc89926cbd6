"""The names and parameters that others write: none goes away, and none of them means something else by its place."""

from __future__ import annotations

import inspect

import pytest

import secure_torch as st

PARAMETERS = {
    "load": "f map_location max_threat_score verify_sigstore require_signature trusted_publishers bundle_path pubkey_path sbom_path "
    "sbom_policy environment sandbox sandbox_imports sandbox_profile allow_opaque as_ into audit_only weights_only mmap copy",
    "onnx_session": "path max_threat_score verify_provenance trusted_publishers pubkey_path bundle_path emit_sbom sess_options "
    "providers allow_custom_ops",
    "from_pretrained": "model name args max_threat_score kwargs",
    "patch_huggingface": "max_threat_score",
    "save": "tensors path metadata",
    "scan": "file",
    "walk_pickle": "data allowlist",
    "ProvenanceVerifier": "rekor_url expected_issuer expected_subject",
    "ProvenanceVerifier.verify": "self artifact_path bundle_path",
}
DEFAULTS = {
    "max_threat_score": 20,
    "verify_sigstore": False,
    "require_signature": False,
    "sandbox": None,
    "allow_opaque": False,
    "audit_only": False,
    "weights_only": True,
    "mmap": True,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    found = st
    for part in name.split("."):
        found = getattr(found, part)
    assert list(inspect.signature(found).parameters) == PARAMETERS[name].split()


def test_defaults_of_load():
    parameters = inspect.signature(st.load).parameters
    assert {name: parameters[name].default for name in DEFAULTS} == DEFAULTS
    assert [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD] == ["f", "map_location"]


def test_errors():
    chains = {
        st.PickleExecutionError: st.UnsafeModelError,
        st.OpaqueObjectError: st.UnsafeModelError,
        st.UnsupportedFormatError: st.IncompleteScanError,
    }
    for error in (st.UnsafeModelError, st.UnverifiedModelError, st.PolicyError, st.IncompleteScanError, st.SandboxUnavailable):
        chains[error] = st.SecurityError
    assert all(issubclass(error, base) for error, base in chains.items())
    assert {s.name for s in st.Sandbox} == {"NONE", "PROCESS", "SECCOMP", "WASM"}


def test_all_is_there_and_no_more():
    public = {n for n in vars(st) if not n.startswith("_") and not inspect.ismodule(getattr(st, n)) and n != "annotations"}
    assert public | {"__version__"} == set(st.__all__)
