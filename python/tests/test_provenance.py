"""Signatures that st.load asks for, made by `secure-torch sign` with keys of this run."""

from __future__ import annotations

import os
import subprocess

import pytest
import torch

import secure_torch as st
from secure_torch._binary import find_binary

STATE = {"w": torch.arange(6.0)}
SOMEBODY = {"identity": "ml@example.org", "issuer": "https://accounts.google.com"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two key pairs: paths of (private, public)."""
    made = []
    for name in ("ours", "theirs"):
        private, public = (tmp_path_factory.mktemp(name) / file for file in ("key.pem", "key.pub"))
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private], check=True)
        subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
        made.append((private, public))
    return made


@pytest.fixture
def signed(saved, keys):
    """A checkpoint and its bundle, beside it under the name that is looked for."""
    path = saved(STATE)
    bundle = path.with_name(path.name + ".sig")
    subprocess.run([find_binary(), "sign", path, "--key", keys[0][0], "--out", bundle], check=True, capture_output=True)
    return path, bundle


def refused(path, **options):
    with pytest.raises(st.UnverifiedModelError) as caught:
        st.load(path, **options)
    return str(caught.value)


def test_the_right_key(signed, keys, tmp_path):
    path, bundle = signed
    for options in ({"pubkey_path": keys[0][1]}, {"pubkey_path": [keys[1][1], str(keys[0][1])], "require_signature": True}):
        assert torch.equal(st.load(path, **options)["w"], STATE["w"])
    away = tmp_path / "elsewhere.sig"
    os.rename(bundle, away)
    assert torch.equal(st.load(path, pubkey_path=keys[0][1], bundle_path=away)["w"], STATE["w"])
    with open(path, "rb") as file:
        assert torch.equal(st.load(file, pubkey_path=keys[0][1], bundle_path=away)["w"], STATE["w"])


def test_what_is_refused(signed, keys, tmp_path):
    path, bundle = signed
    assert "wrong-key" in refused(path, pubkey_path=keys[1][1])
    assert "verified" not in refused(path, require_signature=True)  # a key nobody named says nothing
    refused(path, verify_sigstore=True)
    refused(path, verify_sigstore=True, pubkey_path=keys[0][1])  # signed, and not through Sigstore
    refused(path, trusted_publishers=[SOMEBODY])
    refused(path, bundle_path=tmp_path / "absent.sig")
    refused(path, pubkey_path=tmp_path / "absent.pub")
    refused(path, pubkey_path=path)
    with pytest.raises(TypeError, match="publisher"):
        st.load(path, trusted_publishers=["ml@example.org"])
    for option in ("trusted_publishers", "pubkey_path", "sbom_policy"):  # a list that came out empty asks for nothing by mistake
        with pytest.raises(ValueError, match=option):
            st.load(path, **{option: []})
    bundle.unlink()
    assert "unsigned" in refused(path, require_signature=True)
    assert "unsigned" in refused(path, pubkey_path=keys[0][1])
    assert "unsigned" in refused(path, bundle_path="")
    assert torch.equal(st.load(path)["w"], STATE["w"])


def test_any_change_is_refused(signed, keys):
    path, _ = signed
    good = path.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 20)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert "tampered" in refused(path, pubkey_path=keys[0][1])


def test_the_open_file_counts_and_not_its_name(signed, keys, saved):
    """What is verified is what is loaded, whatever the path leads to meanwhile."""
    path, bundle = signed
    with open(path, "rb") as file:
        saved({"w": torch.zeros(6)}, name="other.pt").replace(path)
        assert torch.equal(st.load(file, pubkey_path=keys[0][1], bundle_path=bundle)["w"], STATE["w"])
    assert "tampered" in refused(path, pubkey_path=keys[0][1])


def test_verifier(signed):
    path, bundle = signed
    with pytest.raises(ValueError, match="needed"):
        st.ProvenanceVerifier(expected_issuer="https://accounts.google.com")
    verifier = st.ProvenanceVerifier(
        rekor_url="https://rekor.sigstore.dev", expected_issuer=SOMEBODY["issuer"], expected_subject=SOMEBODY["identity"]
    )
    result = verifier.verify(artifact_path=path, bundle_path=bundle)
    assert not result.verified and result.method == "key" and result.code == "wrong-method"


SIGNED_BY = """package secure_torch.policy

deny contains sprintf("%s %s", [input.signature.state, input.signature.code]) if input.signature.state != "verified"
"""


def test_policies_are_told_whose_signature_it_is(signed, keys, tmp_path):
    path, bundle = signed
    policy = tmp_path / "policies" / "signed.rego"
    policy.parent.mkdir()
    policy.write_text(SIGNED_BY)
    named = {"sbom_policy": policy.parent, "pubkey_path": keys[0][1]}
    assert torch.equal(st.load(path, **named)["w"], STATE["w"])
    assert torch.equal(st.load(path, sbom_policy=policy, pubkey_path=[keys[1][1], keys[0][1]])["w"], STATE["w"])
    _, report = st.load(path, audit_only=True, **named)
    assert report.raw["signature"]["state"] == "verified"
    with pytest.raises(st.PolicyError, match="unverified no-authority"):  # a key that nobody named says nothing
        st.load(path, sbom_policy=policy)
    with pytest.raises(st.UnverifiedModelError, match="wrong-key"):
        st.load(path, sbom_policy=policy, pubkey_path=keys[1][1])
    away = tmp_path / "elsewhere.sig"
    os.rename(bundle, away)
    assert torch.equal(st.load(path, bundle_path=away, **named)["w"], STATE["w"])
    with pytest.raises(st.UnverifiedModelError, match="unsigned"):
        st.load(path, **named)


def test_the_scan_does_not_take_anothers_word_for_the_signature(signed, keys, tmp_path, monkeypatch):
    """Were only `require` deceived, the scan that policies are told of still tells who signed."""
    path, _ = signed
    policy = tmp_path / "signed.rego"
    policy.write_text(SIGNED_BY)
    monkeypatch.setattr("secure_torch.provenance.require", lambda *_args, **_options: None)
    for options in ({"pubkey_path": keys[1][1]}, {"trusted_publishers": [SOMEBODY, {**SOMEBODY, "identity": "x@example.org"}]}):
        with pytest.raises(st.SecurityError) as caught:
            st.load(path, sbom_policy=policy, **options)
        assert "ST304" in str(caught.value) or "ST401" in str(caught.value)
    with pytest.raises(st.PolicyError, match="absent"):
        st.load(path, sbom_policy=policy, pubkey_path=tmp_path / "absent.pub")
