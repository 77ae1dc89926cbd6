"""Scan what hub libraries downloaded before they load it."""

from __future__ import annotations

import functools
import importlib
import os
import threading
from typing import Any, Callable, Optional

from .errors import IncompleteScanError
from .loader import enforce, scan

# Files that no loader interprets as a model. Everything else that a library asks for is scanned.
_PLAIN = (
    ".txt",
    ".md",
    ".jpg",
    ".jpeg",
    ".png",
    ".gif",
    ".webp",
    ".svg",
    ".gitattributes",
    ".jsonl",
    ".csv",
    ".tsv",
    ".wav",
    ".mp3",
)

_lock = threading.Lock()
_patched: list[tuple[Any, str, Any]] = []


def check_file(path: str, max_threat_score: int = 20) -> str:
    """Scan one file and return its path; raise what st.load raises if it is not to be loaded."""
    if not path.lower().endswith(_PLAIN):
        enforce(scan(path), max_threat_score)
    return path


def check_folder(folder: str, max_threat_score: int = 20) -> str:
    """Scan every file below a folder and return the folder."""
    seen = 0
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            check_file(os.path.join(root, name), max_threat_score)
            seen += 1
    if not seen:
        raise IncompleteScanError(f"{folder}: there is no file to scan")
    return folder


def from_pretrained(model: Any, name: str, *args: Any, max_threat_score: int = 20, **kwargs: Any) -> Any:
    """Scan a model, then call from_pretrained on it: `model` is a class of transformers or diffusers, or its name.

    A local folder is scanned as it is. A hub name is downloaded first, by huggingface_hub.snapshot_download, and the
    downloaded folder is scanned and loaded. Code of the repository is never trusted: trust_remote_code=True is refused.
    """
    if kwargs.get("trust_remote_code"):
        raise IncompleteScanError("trust_remote_code=True runs Python of the repository: no scan can vouch for that")
    if isinstance(model, str):
        module, _, attribute = model.rpartition(".")
        model = getattr(importlib.import_module(module or "transformers"), attribute)
    folder = name if os.path.isdir(name) else _download(name, kwargs)
    check_folder(folder, max_threat_score)
    return model.from_pretrained(folder, *args, **kwargs)


def _download(name: str, kwargs: dict[str, Any]) -> str:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as err:
        raise ImportError(
            f"{name!r} is no folder, and downloading it needs huggingface_hub: pip install huggingface_hub"
        ) from err
    taken = {k: kwargs.pop(k) for k in ("revision", "cache_dir", "token", "local_files_only") if k in kwargs}
    folder: str = snapshot_download(name, **taken)
    return folder


def patch_huggingface(max_threat_score: int = 20) -> Callable[[], None]:
    """Have every file that huggingface_hub hands to its callers scanned first; return a function that undoes it.

    transformers, diffusers and most others fetch through hf_hub_download and snapshot_download. Modules that are
    imported already and hold these functions under their own names are patched too.
    """
    import sys

    try:
        import huggingface_hub
    except ImportError as err:
        raise ImportError("st.patch_huggingface needs huggingface_hub: pip install huggingface_hub") from err
    with _lock:
        if _patched:
            raise RuntimeError("huggingface_hub is patched already: undo that first")
        for attribute, check in (("hf_hub_download", check_file), ("snapshot_download", check_folder)):
            original = getattr(huggingface_hub, attribute)
            checked = _checked(original, check, max_threat_score)
            for module in list(sys.modules.values()):
                if module is not None and vars(module).get(attribute) is original:
                    setattr(module, attribute, checked)
                    _patched.append((module, attribute, original))
    return unpatch_huggingface


def unpatch_huggingface() -> None:
    """Undo patch_huggingface."""
    with _lock:
        while _patched:
            module, attribute, original = _patched.pop()
            setattr(module, attribute, original)


def _checked(original: Any, check: Callable[[str, int], str], max_threat_score: int) -> Any:
    @functools.wraps(original)
    def download(*args: Any, **kwargs: Any) -> Any:
        path: Optional[Any] = original(*args, **kwargs)
        if isinstance(path, str):
            check(path, max_threat_score)
        return path

    return download
