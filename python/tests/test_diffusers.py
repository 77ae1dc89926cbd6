"""st.from_pretrained and st.patch_huggingface with the real diffusers, offline."""

from __future__ import annotations

import logging
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported

import diffusers
import pytest
import torch
from test_huggingface import Payload

import secure_torch as st


@pytest.fixture
def model():
    return diffusers.UNet2DModel(
        sample_size=8, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, attention_head_dim=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "canary"


@pytest.fixture
def folders(tmp_path, model, canary):
    """A model, and a pipeline with the model in a folder of its own, each with a twin that calls something."""
    for name in ("good", "evil"):
        pipeline = diffusers.DDPMPipeline(unet=model, scheduler=diffusers.DDPMScheduler(num_train_timesteps=2))
        pipeline.save_pretrained(tmp_path / name, safe_serialization=False)
        weights = tmp_path / name / "unet" / "diffusion_pytorch_model.bin"
        if name == "evil":
            torch.save({**model.state_dict(), "extra": Payload(canary)}, weights)
        assert weights.is_file()
    return tmp_path


LOADS = {"model": ("diffusers.UNet2DModel", "unet"), "pipeline": ("diffusers.DDPMPipeline", "")}


def weights_of(loaded):
    return getattr(loaded, "unet", loaded).state_dict()


@pytest.mark.parametrize("kind", LOADS)
def test_from_pretrained(folders, model, canary, kind):
    which, part = LOADS[kind]
    loaded = weights_of(st.from_pretrained(which, str(folders / "good" / part)))
    assert all(torch.equal(loaded[k], v) for k, v in model.state_dict().items())
    with pytest.raises(st.PickleExecutionError, match=r"diffusion_pytorch_model\.bin"):
        st.from_pretrained(which, str(folders / "evil" / part))
    assert not canary.exists()


@pytest.mark.parametrize("kind", LOADS)
def test_patch(folders, model, canary, caplog, kind):
    which, part = LOADS[kind]
    cls = getattr(diffusers, which.rpartition(".")[2])
    undo = st.patch_huggingface()
    try:
        loaded = weights_of(cls.from_pretrained(str(folders / "good" / part), low_cpu_mem_usage=False))
        assert all(torch.equal(loaded[k], v) for k, v in model.state_dict().items())
        # diffusers raises an OSError instead of ours: the log has the reason.
        with caplog.at_level(logging.ERROR, "secure_torch"), pytest.raises((st.SecurityError, OSError)):
            cls.from_pretrained(str(folders / "evil" / part), low_cpu_mem_usage=False)
        assert "posix.system" in caplog.text and not canary.exists()
    finally:
        undo()


def test_the_payload_is_live(folders, canary):
    """The control run: what the other tests refuse does run where nobody looks."""
    diffusers.UNet2DModel.from_pretrained(str(folders / "evil" / "unet"), low_cpu_mem_usage=False)
    assert canary.exists()
