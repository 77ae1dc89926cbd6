"""The models that the pages speak of and that torch has to make, in the working directory."""

import json
from pathlib import Path

import torch


def safetensors(file):
    """A file with one tensor."""
    header = json.dumps({"weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    header += b" " * (-len(header) % 8)
    Path(file).write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))


torch.save(torch.nn.Linear(2, 2), "module.pt")
safetensors("model.safetensors")
Path("model").mkdir()
safetensors("model/model.safetensors")
Path("model/config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))
Path("model/README.md").write_text("---\nlicense: apache-2.0\ndatasets: [example]\n---\n# A model\n")
