"""st.from_pretrained and st.patch_huggingface with the real transformers and huggingface_hub, offline."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import types

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported

import huggingface_hub
import pytest
import torch
import transformers

import secure_torch as st

COMMIT = "a" * 40


class Payload:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return (os.system, (f"echo pwned > {self.canary}",))


@pytest.fixture
def model():
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=20, max_position_embeddings=8
    )
    return transformers.BertModel(config)


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "canary"


@pytest.fixture
def cache(tmp_path, model, canary):
    """A hub cache with org/good and org/evil, and folders of the same."""
    for name in ("good", "evil"):
        repo = tmp_path / "hub" / f"models--org--{name}"
        snapshot = repo / "snapshots" / COMMIT
        snapshot.mkdir(parents=True)
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text(COMMIT)
        model.config.save_pretrained(snapshot)
        state = dict(model.state_dict())
        if name == "evil":
            state["extra"] = Payload(canary)
        torch.save(state, snapshot / "pytorch_model.bin")
        shutil.copytree(snapshot, tmp_path / name)
    return tmp_path


@pytest.fixture
def patched():
    undo = st.patch_huggingface()
    yield undo
    undo()


def sources(cache, name):
    return [(str(cache / name), {}), (f"org/{name}", {"cache_dir": str(cache / "hub"), "local_files_only": True})]


@pytest.mark.parametrize("which", ["transformers.BertModel", "AutoModel", transformers.BertModel], ids=["path", "name", "class"])
def test_from_pretrained(cache, model, canary, which):
    for source, options in sources(cache, "good"):
        loaded = st.from_pretrained(which, source, **options).state_dict()
        assert all(torch.equal(loaded[k], v) for k, v in model.state_dict().items())
    for source, options in sources(cache, "evil"):
        with pytest.raises(st.PickleExecutionError, match="pytorch_model.bin"):
            st.from_pretrained(which, source, **options)
    assert not canary.exists()


def test_a_class_that_is_called(cache, canary):
    """sentence_transformers.SentenceTransformer has no from_pretrained, and its modules call torch.load."""

    class Encoder:
        def __init__(self, path, device=None):
            self.state = torch.load(os.path.join(path, "pytorch_model.bin"), map_location=device)

    assert st.from_pretrained(Encoder, "org/good", device="cpu", cache_folder=str(cache / "hub"), local_files_only=True).state
    with pytest.raises(st.PickleExecutionError):
        st.from_pretrained(Encoder, str(cache / "evil"))
    assert not canary.exists()


def test_what_is_fetched_beyond_the_folder(cache, canary):
    """As an adapter's base model is: the folder is harmless, and the repository that it names is not."""

    class Adapter:
        @classmethod
        def from_pretrained(cls, path):
            base = huggingface_hub.hf_hub_download("org/evil", "pytorch_model.bin", cache_dir=str(cache / "hub"))
            return torch.load(base)

    before = torch.load, huggingface_hub.hf_hub_download
    with pytest.raises(st.PickleExecutionError):
        st.from_pretrained(Adapter, str(cache / "good"))
    assert not canary.exists() and before == (torch.load, huggingface_hub.hf_hub_download)


def test_linked_folders_are_scanned(cache, canary):
    (cache / "good" / "part").symlink_to(cache / "evil", target_is_directory=True)
    (cache / "good" / "part" / "loop").symlink_to(cache / "good", target_is_directory=True)
    with pytest.raises(st.PickleExecutionError):
        st.from_pretrained("AutoModel", str(cache / "good"))
    assert not canary.exists()


def test_the_payload_is_live(cache, canary):
    """The control run: what the other tests refuse does run where nobody looks."""
    transformers.AutoModel.from_pretrained(str(cache / "evil"))
    assert canary.exists()


def test_remote_code_is_refused(cache):
    with pytest.raises(st.IncompleteScanError, match="trust_remote_code"):
        st.from_pretrained("AutoModel", str(cache / "good"), trust_remote_code=True)


def test_patch(cache, model, canary, patched, caplog):
    for source, options in sources(cache, "good"):
        loaded = transformers.AutoModel.from_pretrained(source, **options).state_dict()
        assert all(torch.equal(loaded[k], v) for k, v in model.state_dict().items())
    for source, options in sources(cache, "evil"):
        caplog.clear()
        # transformers raises errors of its own instead of ours: the log has the reason.
        with caplog.at_level(logging.ERROR, "secure_torch"), pytest.raises((st.SecurityError, OSError)):
            transformers.AutoModel.from_pretrained(source, **options)
        assert "posix.system" in caplog.text
    with pytest.raises(st.PickleExecutionError):
        huggingface_hub.HfApi().hf_hub_download("org/evil", "pytorch_model.bin", cache_dir=str(cache / "hub"))
    with pytest.raises(st.PickleExecutionError):
        huggingface_hub.snapshot_download("org/evil", cache_dir=str(cache / "hub"))
    with pytest.raises(st.PickleExecutionError):
        huggingface_hub.try_to_load_from_cache("org/evil", "pytorch_model.bin", cache_dir=str(cache / "hub"))
    assert not canary.exists()


def test_patch_reads_file_objects_from_where_they_stand(cache, canary, patched):
    with open(cache / "evil" / "pytorch_model.bin", "rb") as file, pytest.raises(st.PickleExecutionError):
        torch.load(file)
    with open(cache / "good" / "pytorch_model.bin", "rb") as file:
        assert "embeddings.word_embeddings.weight" in torch.load(file)
    assert not canary.exists()


def test_a_file_that_was_replaced_is_scanned_again(cache, canary, patched):
    good = cache / "good" / "pytorch_model.bin"
    assert torch.load(good)
    shutil.copy(cache / "evil" / "pytorch_model.bin", good)
    with pytest.raises(st.PickleExecutionError):
        torch.load(good)
    assert not canary.exists()


def test_unpatch_restores(cache):
    names = [(huggingface_hub, "hf_hub_download"), (huggingface_hub, "snapshot_download"), (torch, "load")]
    before = [getattr(m, n) for m, n in names]
    undo = st.patch_huggingface()
    late = types.ModuleType("imported_later")
    late.fetch = huggingface_hub.hf_hub_download
    sys.modules[late.__name__] = late
    try:
        with pytest.raises(RuntimeError, match="already"):
            st.patch_huggingface()
        assert all(getattr(m, n) is not b for (m, n), b in zip(names, before))
        undo()
        assert [getattr(m, n) for m, n in names] == before and late.fetch is before[0]
    finally:
        del sys.modules[late.__name__]
        undo()
