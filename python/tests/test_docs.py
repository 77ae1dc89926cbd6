"""The documentation's Python: every name and argument of ours exists, and what can be run is run."""

from __future__ import annotations

import ast
import inspect
import pathlib
import re

import numpy
import pytest
import torch

import secure_torch as st

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "python/README.md", *(ROOT / "docs").glob("*.md")])
CODE = re.compile(r"```(?:python|py|diff)\n(.*?)```|`([^`\n]*\bst\.[^`\n]*)`", re.DOTALL)


def pieces(text):
    """What is Python in a page, as far as it can be parsed: of a diff what is left and added."""
    for block, inline in CODE.findall(text):
        kept = [line.removeprefix("+") for line in block.splitlines() if not line.startswith("-")]
        for code in ["\n".join(kept)] if block else [inline]:
            try:
                yield ast.parse(code.strip())
            except SyntaxError:
                assert not block, code  # inline it may be half a line


def ours(node):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "st"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_names_and_arguments(page):
    for tree in pieces(page.read_text()):
        for node in ast.walk(tree):
            if ours(node):
                assert hasattr(st, node.attr), f"st.{node.attr}"
            if isinstance(node, ast.Call) and ours(node.func) and not isinstance(getattr(st, node.func.attr), type):
                given = inspect.signature(getattr(st, node.func.attr)).parameters
                if any(p.kind is p.VAR_KEYWORD for p in given.values()):
                    continue
                for keyword in node.keywords:
                    assert keyword.arg in given, f"st.{node.func.attr}({keyword.arg}=…)"


def test_the_search_finds_something():
    found = [n.attr for page in PAGES for tree in pieces(page.read_text()) for n in ast.walk(tree) if ours(n)]
    assert len(found) > 30 and {"load", "scan", "onnx_session", "patch_huggingface"} <= set(found)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    net = torch.nn.Linear(2, 2)
    for name in ("good.pt", "model.pt"):
        torch.save(net.state_dict(), name)
    torch.save(net, "module.pt")
    numpy.save("array.npy", numpy.arange(3))
    return tmp_path


@pytest.mark.parametrize("page", ["README.md", "python/README.md", "docs/getting-started.md"])
def test_blocks_run(folder, page):
    ran = 0
    for code in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        if "secure_torch as st" in code and "evil" not in code:
            exec(compile(code, page, "exec"), {})
            ran += 1
    assert ran


# Rows of the migration page whose recipe needs more than a file; other tests run it: what they are about, in short.
ELSEWHERE = ("onnxruntime", "AutoModel", "only what", "an SBOM", "converting", "joblib")


def test_recipes_run(folder):
    text = (ROOT / "docs/migration.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", text[text.index("## Recipes") : text.index("## weights_only")], re.MULTILINE)
    files = {"whole pickled module": "module.pt", "numpy": "array.npy", "": "model.pt"}
    ran = []
    for before, after in rows:
        if any(word in before for word in ELSEWHERE) and "numpy" not in before:
            continue
        file = next(f for word, f in files.items() if word in before)
        for code in re.findall(r"`(st\.\w+\([^`]*\))`", after):
            if "joblib" not in code:
                eval(code, {"st": st, "f": file, "path": file, "MyModel": lambda: torch.nn.Linear(2, 2)})
                ran.append(code)
    assert len(ran) >= 7, ran
