"""Rego policies and bills of materials that st.load is given."""

from __future__ import annotations

import json

import pytest
import recipes
import torch

import secure_torch as st

STATE = {"w": torch.arange(6.0)}
# The policy and the manifest that the design of this package began with: Rego v0 syntax, its own aiProfile.
NO_GPL = """package secure_torch.policy

deny[msg] {
    ds := input.aiProfile.trainingDatasets[_]
    startswith(ds.license, "GPL")
    input.environment == "production"
    msg := sprintf("GPL dataset %v blocked in production", [ds.name])
}
"""
NO_PICKLE = """package secure_torch.policy

deny contains "no pickles here" if "pickle" in input.artifact.formats
deny contains "no pickles here" if "torch" in input.artifact.formats
"""


@pytest.fixture
def files(tmp_path):
    """Write the files and return their paths."""

    def write(**texts):
        for name, text in texts.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(text)
            yield path

    return lambda **texts: list(write(**texts))


def manifest(licence):
    datasets = [{"name": "The Pile", "license": licence}]
    return json.dumps({"spdxVersion": "SPDX-3.0", "aiProfile": {"modelType": "transformer", "trainingDatasets": datasets}})


def test_a_policy_decides_by_the_sbom(saved, files):
    path = saved(STATE)
    policy, gpl, mit = files(oss_rego=NO_GPL, gpl_json=manifest("GPL-3.0"), mit_json=manifest("MIT"))
    with pytest.raises(st.PolicyError, match="GPL dataset The Pile blocked in production"):
        st.load(path, sbom_policy=policy, sbom_path=gpl, environment="production")
    for options in (
        {"sbom_path": gpl, "environment": "test"},
        {"sbom_path": mit, "environment": "production"},
        {"sbom_path": gpl},
    ):
        assert torch.equal(st.load(path, sbom_policy=policy, **options)["w"], STATE["w"])


def test_a_policy_decides_by_the_scan(saved, files):
    (policy,) = files(formats_rego=NO_PICKLE)
    with pytest.raises(st.PolicyError, match="no pickles here"):
        st.load(saved(STATE), sbom_policy=[policy])
    st.save(STATE, policy.with_name("m.safetensors"))
    assert torch.equal(st.load(policy.with_name("m.safetensors"), sbom_policy=policy)["w"], STATE["w"])
    with pytest.raises(st.PickleExecutionError):  # what the file would do is said first
        st.load(recipes.torch_zip(recipes.call("posix", "system", "echo")), sbom_policy=policy)


@pytest.mark.parametrize(
    "text", ["", "package other\n", "package secure_torch.policy\ndeny contains 1 if input.x.y[", "not rego"]
)
def test_a_policy_that_can_not_decide_denies(saved, files, text):
    (policy,) = files(bad_rego=text)
    with pytest.raises(st.PolicyError):
        st.load(saved(STATE), sbom_policy=policy)


def test_what_can_not_be_read_is_refused(saved, files, tmp_path):
    path = saved(STATE)
    policy, bad = files(oss_rego=NO_GPL, bad_json="{}")
    for options in (
        {"sbom_policy": tmp_path / "absent.rego"},
        {"sbom_policy": tmp_path / "absent"},
        {"sbom_path": tmp_path / "absent.json"},
    ):
        with pytest.raises(st.PolicyError):
            st.load(path, **options)
    with pytest.raises(st.PolicyError, match="SBOM"):
        st.load(path, sbom_policy=policy, sbom_path=bad)
