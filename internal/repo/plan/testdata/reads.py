"""Loads made-up models with the libraries themselves, and tells which files they open.

    reads.py make CASES     fills the folders: JSON files as they are given, weights that are whole and fit no model
    reads.py load CASES     one JSON line for each case: what was opened, and what the library said in the end

CASES is a JSON file, a list of {"dir", "name", "library", "options", "files": {path: text or null}}.
"""
import ctypes
import json
import os
import struct
import sys


class Opened:
    """What is opened below a folder, by whomever: inotify sees code that is not Python's too."""

    IN_OPEN, IN_ISDIR = 0x20, 0x40000000

    def __init__(self, root):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK)
        self.root, self.dirs = root, {}
        for folder, _, _ in os.walk(root):
            number = self.libc.inotify_add_watch(self.fd, os.fsencode(folder), self.IN_OPEN)
            if number < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch")
            self.dirs[number] = folder

    def names(self):
        seen = set()
        while True:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                number, mask, _, size = struct.unpack_from("iIII", data, at)
                name = data[at + 16 : at + 16 + size].rstrip(b"\0").decode()
                at += 16 + size
                if name and not mask & self.IN_ISDIR:
                    seen.add(os.path.relpath(os.path.join(self.dirs[number], name), self.root))
        os.close(self.fd)
        return sorted(seen)


def make(case):
    import safetensors.torch
    import torch

    for name, text in case["files"].items():
        path = os.path.join(case["dir"], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text is not None:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        elif name.endswith(".safetensors"):
            safetensors.torch.save_file({"x": torch.zeros(1)}, path, metadata={"format": "pt"})
        else:
            torch.save({"x": torch.zeros(1)}, path)


def load_transformers(at, o):
    import transformers

    kwargs = {k: o[k] for k in ("variant", "subfolder") if o.get(k)}
    if o.get("safetensors"):
        kwargs["use_safetensors"] = o["safetensors"] == "true"
    getattr(transformers, o.get("class") or "AutoModel").from_pretrained(at, **kwargs)


def load_timm(at, o):
    import timm

    timm.create_model(("local-dir:" if os.path.isdir(at) else "hf-hub:") + at, pretrained=True)


def load_peft(at, o):
    import peft
    import torch

    class Base(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = torch.nn.Linear(4, 4)

    peft.PeftModel.from_pretrained(Base(), at, **{k: o[k] for k in ("subfolder",) if o.get(k)})


def load_sentence_transformers(at, o):
    import sentence_transformers

    kwargs = {"use_safetensors": o["safetensors"] == "true"} if o.get("safetensors") else {}
    sentence_transformers.SentenceTransformer(at, model_kwargs=kwargs, device="cpu")


def load(case):
    watch = Opened(case["dir"])
    error = ""
    try:
        globals()["load_" + case["library"]](case["name"], case["options"])
    except Exception as e:  # weights that fit no model end in one
        error = f"{type(e).__name__}: {e}"[:300]
    return {"opened": watch.names(), "error": error}


def main():
    with open(sys.argv[2], encoding="utf-8") as f:
        cases = json.load(f)
    for case in cases:
        if sys.argv[1] == "make":
            make(case)
        else:
            print(json.dumps(load(case)), flush=True)


main()
