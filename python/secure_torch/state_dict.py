"""The state_dict of a pickled nn.Module, without its class."""

from __future__ import annotations

import collections
import sys
from collections.abc import Iterator
from typing import Any

from .errors import SecurityError
from .opaque import Opaque

# Where checkpoints keep what matters, in the order in which they are looked at.
_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "module", "net", "ema", "weights", "params")

_MAX_DEPTH = 200


def state_dict(obj: Any) -> Any:
    """Return obj if it is a mapping of tensors, else the state_dict of the module that it is or holds."""
    for candidate in _candidates(obj, 0):
        if _is_module(candidate):
            found: Any = collections.OrderedDict()
            found._metadata = collections.OrderedDict()
            _collect(candidate, "", found, 0)
            return found
        if isinstance(candidate, dict) and candidate and all(_is_tensor(v) for v in candidate.values()):
            return candidate
    raise SecurityError(f"no state_dict in a {_kind(obj)}")


def _candidates(obj: Any, depth: int) -> Iterator[Any]:
    yield obj
    if isinstance(obj, dict) and depth < len(_KEYS):
        for key in _KEYS:
            if key in obj:
                yield from _candidates(obj[key], depth + 1)


def _kind(obj: Any) -> str:
    if isinstance(obj, dict):
        return f"dict with the keys {', '.join(map(repr, list(obj)[:10]))}"
    return repr(obj) if isinstance(obj, Opaque) else type(obj).__name__


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_module(obj: Any) -> bool:
    return isinstance(obj, Opaque) and isinstance(obj.state, dict) and {"_parameters", "_buffers", "_modules"} <= obj.state.keys()


def _collect(module: Opaque, prefix: str, out: Any, depth: int) -> None:
    """Do what nn.Module.state_dict does (torch.nn.Module._save_to_state_dict), on the pickled attributes."""
    if depth > _MAX_DEPTH:
        raise SecurityError(f"modules are nested deeper than {_MAX_DEPTH}")
    state = module.state
    out._metadata[prefix[:-1]] = {"version": _version(module)}
    for name, value in _pairs(state["_parameters"]):
        if value is not None:
            out[prefix + name] = _bare(value)
    skipped = state.get("_non_persistent_buffers_set", ())
    for name, value in _pairs(state["_buffers"]):
        if value is not None and name not in skipped:
            out[prefix + name] = _bare(value)
    for name, child in _pairs(state["_modules"]):
        if child is None:
            continue
        if not _is_module(child):
            raise SecurityError(f"{prefix}{name} is {child!r}, not a module")
        _collect(child, f"{prefix}{name}.", out, depth + 1)


def _version(module: Opaque) -> int:
    """Version of a module's state: of its class if that is imported already (nothing is imported here), else 1 as most are."""
    base = sys.modules.get("torch.nn")
    found = getattr(sys.modules.get(module.module), "__dict__", {}).get(module.qualname)
    if base is not None and isinstance(found, type) and issubclass(found, base.Module):
        version = getattr(found, "_version", 1)
        return version if type(version) is int else 1
    return 1


def _pairs(items: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(items, dict):
        raise SecurityError(f"a module's parameters, buffers or children are {_kind(items)}")
    for name, value in items.items():
        if not isinstance(name, str):
            raise SecurityError(f"a module's attribute is named {name!r}")
        yield name, value


def _bare(value: Any) -> Any:
    if not _is_tensor(value):
        raise SecurityError(f"a module's parameter or buffer is {_kind(value)}")
    return value.detach()
