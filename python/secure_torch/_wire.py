"""The binary index that `secure-torch index` writes. modelscan/index/encode.go describes it; a Go test compares."""

from __future__ import annotations

import json
import struct
import sys
from array import array
from typing import Any, Optional

VERSION = 1

NONE = 0
TRUE = 1
FALSE = 2
INT = 3
BIG_INT = 4
FLOAT = 5
STR = 6
SURROGATE = 7
BYTES = 8
FILE_BYTES = 9
BYTE_ARRAY = 10
LIST = 11
TUPLE = 12
DICT = 13
SET = 14
FROZEN_SET = 15
TENSOR = 16
STORAGE = 17
GLOBAL = 18
CALL = 19
OPAQUE = 20
EXTEND = 21
SET_ITEMS = 22
ADD_ITEMS = 23
STATE = 24

STORAGE_DEFLATED = 1
STORAGE_SWAPPED = 2
TENSOR_REQUIRES_GRAD = 1
TENSOR_CONJ = 2
TENSOR_NEG = 4

_MAGIC = b"STIX"
_HEAD = struct.Struct("<4sIQ")


class WireError(Exception):
    """The output of the binary is not what this package understands."""


class Graph:
    """The object graph: nodes in the order in which they are made."""

    def __init__(self, parts: dict[str, memoryview]) -> None:
        """Take the sections apart; their numbers are checked where they are used."""
        try:
            self.strings = _strings(parts["STRS"])
            self.spans = _numbers(parts["SPAN"], "q")
            self.storages = _rows(_numbers(parts["STOR"], "q"), 9)
            self.tensors = _rows(_numbers(parts["TENS"], "q"), 6)
            self.dims = _numbers(parts["DIMS"], "q")
            self.kinds = bytes(parts["KIND"])
            self.values = _numbers(parts["VALS"], "q")
            self.refs = _numbers(parts["REFS"], "I")
            self.root = _numbers(parts["ROOT"], "q")[0]
        except (KeyError, IndexError, ValueError, struct.error) as err:
            raise WireError(f"index: {err!r}") from err
        if len(self.kinds) != len(self.values):
            raise WireError("index: as many kinds as values are due")


class Answer:
    """Everything that one call of `secure-torch index` says."""

    def __init__(self, data: bytes) -> None:
        """Decode the output. It is untrusted: a cut-off or altered one is a WireError."""
        parts = _sections(data)
        try:
            self.tool: dict[str, Any] = json.loads(bytes(parts.pop("TOOL")))
            self.report: dict[str, Any] = json.loads(bytes(parts.pop("REPT")))
        except (KeyError, ValueError) as err:
            raise WireError(f"report: {err!r}") from err
        calls = parts.pop("CALL", None)
        self.calls = [] if not calls else bytes(calls).decode("utf-8", "replace").split("\n")
        failure = parts.pop("FAIL", None)
        self.failure: Optional[str] = None if failure is None else bytes(failure).decode("utf-8", "replace")
        self.graph: Optional[Graph] = Graph(parts) if parts else None


def _sections(data: bytes) -> dict[str, memoryview]:
    if data[:4] != _MAGIC or len(data) < 8:
        raise WireError("the binary's output is no index")
    version = int.from_bytes(data[4:8], "little")
    if version != VERSION:
        raise WireError(f"the binary writes indexes of version {version}, this package reads {VERSION}")
    view, at = memoryview(data), 8
    parts: dict[str, memoryview] = {}
    while at + _HEAD.size <= len(data):
        tag, _, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if size > len(data) - at:
            break
        name = tag.decode("latin-1")
        if name == "DONE" and at == len(data):
            return parts
        parts[name] = view[at : at + size]
        at += size
    raise WireError("the binary's output was cut off")


def _numbers(view: memoryview, code: str) -> list[int]:
    numbers = array(code)
    numbers.frombytes(view)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _rows(numbers: list[int], width: int) -> list[tuple[int, ...]]:
    if len(numbers) % width:
        raise ValueError(f"rows of {width} from {len(numbers)} numbers")
    return list(zip(*[iter(numbers)] * width))


def _strings(view: memoryview) -> list[bytes]:
    count = int.from_bytes(view[:8], "little")
    if count > len(view) // 8:
        raise ValueError(f"{count} strings")
    start = 8 * (count + 2)
    offsets = _numbers(view[8:start], "Q")
    blob = bytes(view[start:])
    if offsets[-1] != len(blob):
        raise ValueError("strings do not fill their section")
    return [blob[a:b] for a, b in zip(offsets, offsets[1:])]
