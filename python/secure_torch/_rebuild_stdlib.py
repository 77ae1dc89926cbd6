"""Objects of the standard library that are plain data: dates, numbers, paths, arrays, namespaces."""

from __future__ import annotations

import argparse
import array
import datetime
import decimal
import fractions
import os
import pathlib
import types
import uuid
from typing import Any, Callable

from ._rebuild import Broken, Rebuilder, content, need, set_attributes

# Decimal's and Fraction's text: reading it takes time in proportion, or more.
_MAX_TEXT = 10_000


def _packed(cls: Any) -> Callable[..., Any]:
    """Make date, time and datetime, which pickle their fields as a few bytes."""

    def make(_: Rebuilder, data: Any, zone: Any = None) -> Any:
        need(zone is None or isinstance(zone, datetime.timezone))
        if isinstance(data, str):
            data = data.encode("latin-1")
        need(isinstance(data, bytes))
        return cls(data) if zone is None else cls(data, zone)

    return make


def _timedelta(_: Rebuilder, *args: Any) -> Any:
    need(all(type(v) is int for v in args))
    return datetime.timedelta(*args)


def _timezone(_: Rebuilder, offset: Any, *name: Any) -> Any:
    need(isinstance(offset, datetime.timedelta) and all(isinstance(n, str) for n in name))
    return datetime.timezone(offset, *name)


def _decimal(_: Rebuilder, text: Any) -> Any:
    need(isinstance(text, str) and len(text) < _MAX_TEXT)
    return decimal.Decimal(text)


def _fraction(_: Rebuilder, *args: Any) -> Any:
    need(all(type(v) is int or (isinstance(v, str) and len(v) < 100) for v in args))
    return fractions.Fraction(*args)


def _path(cls: Any) -> Callable[..., Any]:
    def make(_: Rebuilder, *parts: Any) -> Any:
        need(all(isinstance(p, str) for p in parts))
        return cls(*parts)

    return make


def _array(_: Rebuilder, code: Any, items: Any = ()) -> Any:
    """Make array.array(code, list), how protocol 2 writes one."""
    need(isinstance(code, str) and len(code) == 1 and code in array.typecodes)
    need(isinstance(items, list) or (isinstance(items, str) and code == "u"))
    return array.array(code, items)


def _array_of_bytes(r: Rebuilder, kind: Any, code: Any, machine: Any, data: Any) -> Any:
    """Make array._array_reconstructor's array. `machine` numbers the byte order and width; the function checks it."""
    data = content(r, data)
    need(isinstance(kind, type) and kind is array.array and isinstance(code, str) and len(code) == 1 and code in array.typecodes)
    need(type(machine) is int and isinstance(data, bytes))
    return array._array_reconstructor(kind, code, machine, data)  # type: ignore[attr-defined]


def _type(_: Rebuilder, of: Any) -> Any:
    """Make type(None) and the like, which pickle has no name for. Not the type of anything else."""
    need(of is None or of is Ellipsis or of is NotImplemented)
    return type(of)


def _simple_namespace(_: Rebuilder) -> Any:
    return types.SimpleNamespace()


def _uuid_state(target: Any, state: Any) -> None:
    number = state.get("int") if isinstance(state, dict) else None
    if type(number) is not int or not 0 <= number < 1 << 128:
        raise Broken("a UUID is no number of 128 bits")
    object.__setattr__(target, "int", number)
    object.__setattr__(target, "is_safe", uuid.SafeUUID.unknown)


# Classes whose objects are made empty; the functions of STATES then set their attributes.
INSTANCES: dict[tuple[str, str], Callable[[], Any]] = {
    ("argparse", "Namespace"): argparse.Namespace,
    ("uuid", "UUID"): lambda: uuid.UUID.__new__(uuid.UUID),
}
STATES: dict[type, Callable[[Any, Any], None]] = {
    argparse.Namespace: set_attributes,
    types.SimpleNamespace: set_attributes,
    uuid.UUID: _uuid_state,
}

CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "array._array_reconstructor": _array_of_bytes,
    "array.array": _array,
    "builtins.type": _type,
    "datetime.date": _packed(datetime.date),
    "datetime.datetime": _packed(datetime.datetime),
    "datetime.time": _packed(datetime.time),
    "datetime.timedelta": _timedelta,
    "datetime.timezone": _timezone,
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    # A path for the other kind of system can't be made; the pure class of the file's system reads the same.
    "pathlib.PosixPath": _path(pathlib.PurePosixPath if os.name == "nt" else pathlib.PosixPath),
    "pathlib.PurePosixPath": _path(pathlib.PurePosixPath),
    "pathlib.PureWindowsPath": _path(pathlib.PureWindowsPath),
    "pathlib.WindowsPath": _path(pathlib.WindowsPath if os.name == "nt" else pathlib.PureWindowsPath),
    "types.SimpleNamespace": _simple_namespace,
}
