from __future__ import annotations

import io

import pytest
import torch


@pytest.fixture
def saved(tmp_path):
    """Save with real torch: saved(obj, legacy=False, protocol=2) -> path."""

    def save(obj, legacy=False, protocol=2, name="model.pt"):
        path = tmp_path / name
        torch.save(obj, path, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
        return path

    return save


def saved_bytes(obj, legacy=False, protocol=2):
    out = io.BytesIO()
    torch.save(obj, out, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()
