"""Rebuilds a file's objects from its index: one loop over the nodes, without recursion, import or call by name.

The callables a file may name are the keys of `constructors()`; every one checks the types of its arguments. All
others, and these when the arguments are not what their library writes, become Opaque.
"""

from __future__ import annotations

import array
import collections
import mmap
import os
import struct
from typing import Any, Callable, Optional

from . import _wire as wire
from .opaque import Opaque

_FLOAT = struct.Struct("<d")
_INT = struct.Struct("<q")

# What a dict key or set item may consist of: hashing a tuple walks all of it, and a tuple of tuples doubles at every level.
_MAX_KEY = 10_000


class Unbuildable(Exception):
    """The arguments are not what the library writes: the object stays opaque."""


class Broken(Exception):
    """The index contradicts itself, or the file's objects can't be put together."""


class File:
    """The bytes behind an index: the mapped file and the strings in the index."""

    def __init__(self, graph: wire.Graph, fd: int, mapped: Optional[mmap.mmap], share: bool) -> None:
        """Share: what is built may use the mapping's pages; otherwise it gets copies."""
        self.graph, self.fd, self.mapped, self.share = graph, fd, mapped, share
        self.size = 0 if mapped is None else len(mapped)

    def buffer(self, text: int, off: int, n: int) -> tuple[Any, int]:
        """Return a writable buffer and the offset in it of n bytes: of string `text`, or of the file if that is -1."""
        if text >= 0:
            piece = self.graph.strings[text][off : off + n]
            if off < 0 or len(piece) != n:
                raise Broken(f"{n} bytes outside a string")
            return bytearray(piece), 0
        if self.mapped is None or off < 0 or n < 0 or n > self.size - off:
            raise Broken(f"{n} bytes at {off} lie outside the file's {self.size}")
        if self.share:
            return self.mapped, off
        copy = bytearray(n)
        view = memoryview(copy)
        while view:  # read, not mapped: pages of the mapping would count twice
            got = os.preadv(self.fd, [view], off + n - len(view))
            if not got:
                raise Broken("the file was cut short while it was loaded")
            view = view[got:]
        return copy, 0

    def read(self, off: int, n: int) -> bytes:
        """Copy n bytes of the file."""
        if self.mapped is None or off < 0 or n < 0 or n > self.size - off:
            raise Broken(f"{n} bytes at {off} lie outside the file's {self.size}")
        return bytes(self.mapped[off : off + n])


class Span:
    """Bytes left in the file until somebody needs them: an array over them needs no copy."""

    __slots__ = ("off", "size")

    def __init__(self, off: int, size: int) -> None:
        """Note where they are."""
        self.off, self.size = off, size


class Rebuilder:
    """Makes the objects of one index."""

    def __init__(self, graph: wire.Graph, file: File, tensors: Any) -> None:
        """Tensors makes tensors and storages; it is only asked when there are some."""
        self.graph, self.file, self.tensors = graph, file, tensors
        self.objects: list[Any] = []
        self.weights: dict[int, int] = {}  # of tuples and the like: what hashing them walks over
        self.opaque: list[Opaque] = []
        self.calls = constructors()

    def build(self) -> Any:
        """Return the file's object."""
        add = self.objects.append
        strings, refs = self.graph.strings, self.graph.refs
        tensor = self.tensors.tensor
        make = self._make
        for kind, value in zip(self.graph.kinds, self.graph.values):
            if kind == wire.STR:
                add(strings[value].decode())
            elif kind == wire.TENSOR:
                add(tensor(value))
            elif kind == wire.INT:
                add(value)
            elif wire.EXTEND <= kind <= wire.STATE:
                self._fill(kind, refs[value + 1 : value + 1 + refs[value]])
                add(None)
            else:
                add(make(kind, value))
        return self._take([self.graph.root])[0]

    def _run(self, value: int) -> list[int]:
        refs = self.graph.refs
        if value < 0:
            raise Broken("negative reference")
        return refs[value + 1 : value + 1 + refs[value]]

    def _weigh(self, run: list[int]) -> None:
        """Note what hashing the node that is being made of these would walk over."""
        weight = 1
        for r in run:
            weight += self.weights.get(r, 1)
        self.weights[len(self.objects)] = min(weight, 1 << 40)

    def _items(self, value: int) -> list[Any]:
        """Objects of a run. All were made before this node; an index that says otherwise is broken (IndexError)."""
        run = self._run(value)
        self._weigh(run)
        return self._take(run)

    def _take(self, run: list[int]) -> list[Any]:
        objects = self.objects
        items = [objects[r] for r in run]
        if self.graph.spans:
            for i, item in enumerate(items):
                if type(item) is Span:
                    items[i] = objects[run[i]] = self.file.read(item.off, item.size)
        return items

    def _make(self, kind: int, value: int) -> Any:
        scalar = _SCALARS.get(kind)
        if scalar is not None:
            return scalar()
        if kind == wire.TUPLE:
            return tuple(self._items(value))
        if kind == wire.FLOAT:
            return _FLOAT.unpack(_INT.pack(value))[0]
        if kind == wire.FROZEN_SET:
            for r in self._run(value):
                self._check_key(r)
            return frozenset(self._items(value))
        if kind == wire.GLOBAL:
            module, name = self._items(value)
            return self._global(module, name)
        if kind == wire.CALL:
            return self._call(self._run(value))
        if kind == wire.OPAQUE:
            return self._opaque(*self._items(value))
        return self._bytes(kind, value)

    def _bytes(self, kind: int, value: int) -> Any:
        if kind == wire.BYTES:
            return self.graph.strings[value]
        if kind == wire.SURROGATE:
            return self.graph.strings[value].decode("utf-8", "surrogatepass")
        if kind == wire.BIG_INT:
            return int.from_bytes(self.graph.strings[value], "little", signed=True)
        if kind == wire.BYTE_ARRAY:
            return bytearray(content(self, self.objects[value]))
        if kind == wire.FILE_BYTES:
            off, n = self.graph.spans[2 * value], self.graph.spans[2 * value + 1]
            return Span(off, n)
        if kind == wire.STORAGE:
            return self.tensors.storage(value)
        raise Broken(f"node of kind {kind}")

    def _global(self, module: str, name: str) -> Any:
        if module == "torch._utils" and name.startswith("torch."):  # how memory formats are named
            module, name = "torch", name[6:]
        known = _GLOBALS.get((module, name))
        if known is None and module == "torch":
            known = self.tensors.constant(name)
        if known is None and module == "numpy":
            known = _numpy_type(name)
        return self._stand_in("global", module, name) if known is None else known

    def _stand_in(self, how: str, module: str, qualname: str, *rest: Any) -> Opaque:
        made = Opaque(how, module, qualname, *rest)
        self.opaque.append(made)
        return made

    def _opaque(self, how: str, callee: Any, args: Any, kwargs: Any) -> Any:
        if isinstance(callee, Opaque) and callee.how == "global":
            self._forget(callee)
            if how == "newobj" and args == () and kwargs is None:
                made = instance(callee.module, callee.qualname)
                if made is not None:
                    return made
            return self._stand_in(how, callee.module, callee.qualname, args, kwargs, callee)
        module, name = getattr(callee, "__module__", ""), getattr(callee, "__qualname__", repr(callee))
        return self._stand_in(how, str(module), str(name), args, kwargs, callee)

    def _forget(self, callee: Opaque) -> None:
        """Count a class once when it is only named to make an object of it."""
        if self.opaque and self.opaque[-1] is callee:
            self.opaque.pop()

    def _call(self, run: list[int]) -> Any:
        self._weigh(run)
        name, *args = [self.objects[r] for r in run]
        make = self.calls.get(name)
        if make is not None:
            try:
                return make(self, *args)
            except Unbuildable:
                pass
        module, _, qualname = name.rpartition(".")
        return self._stand_in("reduce", module, qualname, tuple(self._take(run)[1:]))

    def _check_key(self, r: int) -> None:
        if self.weights.get(r, 1) > _MAX_KEY:
            raise Broken("a key or set item is a tuple of too many parts")

    def _fill(self, kind: int, run: list[int]) -> None:
        objects = self.objects
        target = objects[run[0]]
        items = self._take(run[1:])
        if kind == wire.STATE:
            self._state(target, items[0])
        elif kind == wire.EXTEND:
            (target.listitems if type(target) is Opaque else _appendable(target)).extend(items)
        elif kind == wire.ADD_ITEMS:
            for r in run[1:]:
                self._check_key(r)
            if type(target) is Opaque:
                target.listitems.extend(items)
            elif type(target) is set:
                target.update(items)
            else:
                raise Broken(f"items are added to a {type(target).__name__}")
        else:
            for r in run[1::2]:
                self._check_key(r)
            _set_items(target.dictitems if type(target) is Opaque else target, items)

    def _state(self, target: Any, state: Any) -> None:
        if type(target) is Opaque:
            target.state = state
        elif type(target) in (collections.OrderedDict, collections.Counter):
            set_attributes(target, state)
        elif not set_state(target, state) and not self.tensors.set_state(target, state):
            raise Broken(f"a {type(target).__name__} is given a state")


_SCALARS: dict[int, Callable[[], Any]] = {
    wire.NONE: lambda: None,
    wire.TRUE: lambda: True,
    wire.FALSE: lambda: False,
    wire.LIST: list,
    wire.DICT: dict,
    wire.SET: set,
}

# Classes that a file may hold as values. Making one of the plain ones does nothing.
_PLAIN = (int, float, complex, bool, str, bytes, bytearray, list, tuple, dict, set, frozenset, object, range, slice)
_CONTAINERS = (collections.OrderedDict, collections.Counter, collections.deque, collections.defaultdict)
_GLOBALS: dict[tuple[str, str], Any] = {
    **{("builtins", t.__name__): t for t in _PLAIN},
    **{("collections", t.__name__): t for t in _CONTAINERS},
    ("builtins", "Ellipsis"): Ellipsis,
    ("builtins", "NotImplemented"): NotImplemented,
    ("array", "array"): array.array,
}


def _numpy_type(name: str) -> Any:
    try:
        import numpy
    except ImportError:
        return None
    kind = vars(numpy).get(name)
    if not isinstance(kind, type) or not issubclass(kind, (numpy.generic, numpy.ndarray, numpy.dtype)):
        return None
    return kind


def _appendable(target: Any) -> Any:
    if type(target) in (list, collections.deque):
        return target
    raise Broken(f"items are appended to a {type(target).__name__}")


def _set_items(target: Any, items: list[Any]) -> None:
    if type(target) in (dict, collections.OrderedDict):
        target.update(zip(items[::2], items[1::2]))
    elif type(target) in (collections.Counter, collections.defaultdict):
        for key, value in zip(items[::2], items[1::2]):
            dict.__setitem__(target, key, value)
    else:
        raise Broken(f"keys are set in a {type(target).__name__}")


def set_attributes(target: Any, state: Any) -> None:
    """Set a pickled object's attributes: never one that hides something of its class."""
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    for part in parts:
        if part is None:
            continue
        if not isinstance(part, dict):
            raise Broken(f"a {type(target).__name__} is given a {type(part).__name__} as its state")
        for name, value in part.items():
            if not isinstance(name, str) or hasattr(type(target), name):
                raise Broken(f"a {type(target).__name__} is given the attribute {name!r}")
            target.__dict__[name] = value


def need(condition: bool) -> None:
    """Leave the object opaque unless the condition holds."""
    if not condition:
        raise Unbuildable


def _set(_: Rebuilder, items: Any = ()) -> Any:
    need(isinstance(items, (list, tuple)))
    _light(items)
    return set(items)


def _frozenset(_: Rebuilder, items: Any = ()) -> Any:
    need(isinstance(items, (list, tuple)))
    _light(items)
    return frozenset(items)


def _light(items: Any) -> None:
    """Refuse tuples as members here: their weight is not at hand. Picklers write sets of them otherwise or seldom."""
    for item in items:
        if type(item) in (tuple, frozenset):
            _walk(item)


def _walk(item: Any) -> None:
    todo, seen = [item], 0
    while todo:
        seen += 1
        if seen > _MAX_KEY:
            raise Broken("a key or set item is a tuple of too many parts")
        top = todo.pop()
        if type(top) in (tuple, frozenset):
            todo.extend(top)


def _bytearray(_: Rebuilder, data: Any = b"", encoding: Any = None) -> Any:
    if encoding is not None:
        need(isinstance(data, str) and encoding in ("latin-1", "latin1"))
        return bytearray(data, "latin-1")
    data = content(_, data)
    need(isinstance(data, (bytes, bytearray)))
    return bytearray(data)


def _bytes(r: Rebuilder, data: Any = b"") -> Any:
    if isinstance(data, (list, tuple)):
        need(all(type(v) is int for v in data))
        return bytes(data)
    data = content(r, data)
    need(isinstance(data, (bytes, bytearray)))
    return bytes(data)


def content(r: Rebuilder, data: Any) -> Any:
    """Return the bytes of data, reading those that were left in the file."""
    if type(data) is Span:
        return r.file.read(data.off, data.size)
    return data


def _complex(_: Rebuilder, real: Any, imag: Any = 0.0) -> Any:
    need(isinstance(real, (int, float)) and isinstance(imag, (int, float)))
    return complex(real, imag)


def _slice(_: Rebuilder, *args: Any) -> Any:
    return slice(*args)


def _range(_: Rebuilder, *args: Any) -> Any:
    need(all(type(v) is int for v in args))
    return range(*args)


def _ordered_dict(_: Rebuilder, items: Any = ()) -> Any:
    need(isinstance(items, (list, tuple, dict)))
    if isinstance(items, dict):
        return collections.OrderedDict(items)
    need(all(isinstance(p, (list, tuple)) and len(p) == 2 for p in items))
    _light([p[0] for p in items])
    return collections.OrderedDict((p[0], p[1]) for p in items)


def _counter(_: Rebuilder, items: Any = None) -> Any:
    need(items is None or isinstance(items, dict))
    made: Any = collections.Counter()
    dict.update(made, items or {})
    return made


def _defaultdict(_: Rebuilder, factory: Any = None, items: Any = None) -> Any:
    need(factory is None or any(factory is t for t in (*_PLAIN, *_CONTAINERS)))
    need(items is None or isinstance(items, dict))
    return collections.defaultdict(factory, items or {})


def _deque(_: Rebuilder, items: Any = (), maxlen: Any = None) -> Any:
    need(isinstance(items, (list, tuple)) and (maxlen is None or (type(maxlen) is int and maxlen >= 0)))
    return collections.deque(items, maxlen)


def instance(module: str, name: str) -> Any:
    """Make an empty object of a class that only holds attributes, which its state then sets; None if it is no such class."""
    from ._rebuild_stdlib import INSTANCES
    from ._rebuild_torch import INSTANCES as TORCH

    make = INSTANCES.get((module, name)) or TORCH.get((module, name))
    return None if make is None else make()


def set_state(target: Any, state: Any) -> bool:
    """Set the attributes of such an object; False if target is none."""
    from ._rebuild_stdlib import STATES

    take = STATES.get(type(target))
    if take is None:
        return False
    take(target, state)
    return True


def constructors() -> dict[str, Callable[..., Any]]:
    """Every callable that is ever carried out, by the name that modelscan/index/constructors.go gives it."""
    from ._rebuild_numpy import CONSTRUCTORS as NUMPY
    from ._rebuild_stdlib import CONSTRUCTORS as STDLIB
    from ._rebuild_torch import CONSTRUCTORS as TORCH

    return {**_CONSTRUCTORS, **STDLIB, **NUMPY, **TORCH}


_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "builtins.bytearray": _bytearray,
    "builtins.bytes": _bytes,
    "builtins.complex": _complex,
    "builtins.frozenset": _frozenset,
    "builtins.range": _range,
    "builtins.set": _set,
    "builtins.slice": _slice,
    "collections.Counter": _counter,
    "collections.OrderedDict": _ordered_dict,
    "collections.defaultdict": _defaultdict,
    "collections.deque": _deque,
}
