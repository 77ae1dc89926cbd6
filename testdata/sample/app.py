"""A small app that loads four models. `make run` checks it; nothing of it is run."""

import os
from pathlib import Path

import torch
from transformers import AutoModel

MODELS = Path(__file__).parent / "models"


def weights():
    """Ordinary weights."""
    return torch.load(MODELS / "good.pt", weights_only=True)


def community_weights():
    """From a forum: would run a command on load."""
    return torch.load(MODELS / "evil.pt")


def encoder():
    """Out of the hub's cache on this machine; no signature lies beside it."""
    return AutoModel.from_pretrained("acme/tiny-encoder", revision="0123456789abcdef0123456789abcdef01234567")


def custom():
    """Which file this is only shows when it runs."""
    return torch.load(os.environ["CUSTOM_MODEL"])
