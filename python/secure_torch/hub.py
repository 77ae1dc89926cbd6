"""Scan what hub libraries downloaded before they load it."""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import sys
import threading
from typing import Any, Callable

from .errors import IncompleteScanError, SecurityError
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

_log = logging.getLogger("secure_torch")
_lock = threading.Lock()
# from_pretrained patches while a library loads: one at a time, since what is patched is everybody's.
_loading = threading.RLock()
# What patch_huggingface put in place of what.
_patched: list[tuple[Any, Any]] = []


def check_file(path: str, max_threat_score: int = 20) -> str:
    """Scan one file and return its path; raise what st.load raises if it is not to be loaded."""
    if not path.lower().endswith(_PLAIN):
        enforce(scan(path), max_threat_score)
    return path


def check_folder(folder: str, max_threat_score: int = 20) -> str:
    """Scan every file below a folder and return the folder."""
    for path in _files(folder):
        check_file(path, max_threat_score)
    return folder


def _files(folder: str) -> list[str]:
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, followlinks=True):  # whoever loads follows links too
        here = os.stat(root)
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        found += [os.path.join(root, name) for name in sorted(names)]
    if not found:
        raise IncompleteScanError(f"{folder}: there is no file to scan")
    return found


def from_pretrained(model: Any, name: str, *args: Any, max_threat_score: int = 20, **kwargs: Any) -> Any:
    """Scan a model, then call from_pretrained on it: `model` is a class of transformers, diffusers or peft, or its name.

    A class without that method is called itself, as sentence_transformers.SentenceTransformer is made. A local folder is
    scanned as it is. A hub name is downloaded first, by huggingface_hub.snapshot_download, and the downloaded folder is
    scanned and loaded. What the library fetches beyond that, such as the base model of an adapter, is scanned as by
    patch_huggingface. Code of the repository is never trusted: trust_remote_code=True is refused.
    """
    if kwargs.get("trust_remote_code"):
        raise IncompleteScanError("trust_remote_code=True runs Python of the repository: no scan can vouch for that")
    if isinstance(model, str):
        module, _, attribute = model.rpartition(".")
        named, model = model, getattr(importlib.import_module(module or "transformers"), attribute)
        if not isinstance(model, type) and not hasattr(model, "from_pretrained"):
            raise TypeError(f"{named!r} is no class: from_pretrained calls it with the model's folder")
    folder = name if os.path.isdir(name) else _download(name, kwargs)
    check_folder(folder, max_threat_score)
    load = getattr(model, "from_pretrained", model)
    with _loading:
        if _patched or not importlib.util.find_spec("huggingface_hub"):
            return load(folder, *args, **kwargs)
        undo = patch_huggingface(max_threat_score)
        try:
            return load(folder, *args, **kwargs)
        finally:
            undo()


def _download(name: str, kwargs: dict[str, Any]) -> str:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as err:
        raise ImportError(
            f"{name!r} is no folder, and downloading it needs huggingface_hub: pip install huggingface_hub"
        ) from err
    if "cache_folder" in kwargs:  # sentence_transformers' word for it
        kwargs["cache_dir"] = kwargs.pop("cache_folder")
    taken = {k: kwargs.pop(k) for k in ("revision", "cache_dir", "token", "local_files_only") if k in kwargs}
    folder: str = snapshot_download(name, **taken)
    return folder


def patch_huggingface(max_threat_score: int = 20) -> Callable[[], None]:
    """Have every file that huggingface_hub names to its callers scanned first; return a function that undoes it.

    transformers, diffusers and most others fetch through hf_hub_download, snapshot_download and
    try_to_load_from_cache. torch.load is patched too: transformers reads local folders with it, and its look-up in the
    cache goes on when a download raises. Wherever a module holds one of these functions, under whatever name, it is
    replaced. A file that was scanned and has not changed since is not scanned again.
    """
    try:
        import huggingface_hub
    except ImportError as err:
        raise ImportError("st.patch_huggingface needs huggingface_hub: pip install huggingface_hub") from err
    scanned = _Scanned(max_threat_score)
    with _lock:
        if _patched:
            raise RuntimeError("huggingface_hub is patched already: undo that first")
        for name, check in _RETURNS_PATH:
            original = getattr(huggingface_hub, name)
            _patched.append((original, _checked_result(original, getattr(scanned, check))))
        if importlib.util.find_spec("torch"):
            import torch

            _patched.append((torch.load, _checked_argument(torch.load, scanned)))
        _replace(_patched)
    return unpatch_huggingface


_RETURNS_PATH = (("hf_hub_download", "file"), ("try_to_load_from_cache", "file"), ("snapshot_download", "folder"))


def unpatch_huggingface() -> None:
    """Undo patch_huggingface, also in modules that were imported since."""
    with _lock:
        _replace([(checked, original) for original, checked in _patched])
        _patched.clear()


def _replace(pairs: list[tuple[Any, Any]]) -> None:
    """Put the second of each pair wherever a module holds the first."""
    new = {id(old): put for old, put in pairs}
    for module in list(sys.modules.values()):
        # A module of one's own class may compute its attributes: only what is stored counts.
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if id(value) in new:
                setattr(module, name, new[id(value)])


class _Scanned:
    """Scans files unless they were let through before and are the same still."""

    def __init__(self, max_threat_score: int) -> None:
        self.max_threat_score = max_threat_score
        self.seen: set[tuple[int, ...]] = set()

    def file(self, path: str) -> None:
        key = _identity(path)
        if key in self.seen:
            return
        try:
            check_file(path, self.max_threat_score)
        except SecurityError as err:
            # Libraries catch errors of a download and raise others, which don't say why.
            _log.error("%s", err)
            raise
        if _identity(path) == key:
            self.seen.add(key)

    def folder(self, path: str) -> None:
        for file in _files(path):
            self.file(file)


def _identity(path: str) -> tuple[int, ...]:
    found = os.stat(path)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _checked_result(original: Any, check: Callable[[str], None]) -> Any:
    @functools.wraps(original)
    def download(*args: Any, **kwargs: Any) -> Any:
        path = original(*args, **kwargs)
        if isinstance(path, str):  # try_to_load_from_cache also returns None and a mark for "known to be absent"
            check(path)
        return path

    return download


def _checked_argument(original: Any, scanned: _Scanned) -> Any:
    """torch.load whose file is scanned first, from where a file object stands."""

    @functools.wraps(original)
    def load(f: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(f, (str, os.PathLike)):
            scanned.file(os.fspath(f))
        else:
            start = f.tell()
            enforce(scan(f.read() if start else f), scanned.max_threat_score)
            f.seek(start)
        return original(f, *args, **kwargs)

    return load
