"""Stand-ins for objects whose classes are never imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional


class Opaque:
    """What a pickle says of an object, and nothing else: it can be read, never called, never unpickled.

    `how` tells what made it: "global" (a reference to a class or function), "reduce" (a call),
    "newobj", "newobj_ex", "inst" or "obj" (an instance). `module` and `qualname` name the class or function.
    """

    __slots__ = ("args", "callee", "dictitems", "how", "kwargs", "listitems", "module", "qualname", "state")

    def __init__(
        self, how: str, module: str, qualname: str, args: tuple[Any, ...] = (), kwargs: Any = None, callee: Any = None
    ) -> None:
        """Make the stand-in; the loader fills `state`, `listitems` and `dictitems` afterwards."""
        self.how = how
        self.module = module
        self.qualname = qualname
        self.args = args
        self.kwargs = kwargs
        self.callee = callee
        self.state: Any = None
        self.listitems: list[Any] = []
        self.dictitems: dict[Any, Any] = {}

    @property
    def origin(self) -> str:
        """The class or function as the file names it."""
        return f"{self.module}.{self.qualname}" if self.module else self.qualname

    def _attributes(self) -> dict[Any, Any]:
        state = self.state
        if isinstance(state, tuple) and len(state) == 2:
            merged: dict[Any, Any] = {}
            for part in state:
                if isinstance(part, dict):
                    merged.update(part)
            return merged
        return state if isinstance(state, dict) else {}

    def __getattr__(self, name: str) -> Any:
        """Read an attribute of the pickled object."""
        if not name.startswith("__"):
            attributes = self._attributes()
            if name in attributes:
                return attributes[name]
        raise AttributeError(f"{self!r} has no attribute {name!r} in its pickled state")

    def __getitem__(self, key: Any) -> Any:
        """Read an item of a pickled dict or list subclass."""
        return self.dictitems[key] if self.dictitems or not isinstance(key, int) else self.listitems[key]

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the keys or items of a pickled dict or list subclass."""
        return iter(self.dictitems or self.listitems)

    def __len__(self) -> int:
        """Count the items of a pickled dict or list subclass."""
        return len(self.dictitems) or len(self.listitems)

    def __bool__(self) -> bool:
        """Be true: an object without items is still an object."""
        return True

    def __dir__(self) -> list[str]:
        """List the pickled attributes, too."""
        return sorted({*super().__dir__(), *(k for k in self._attributes() if isinstance(k, str))})

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse: a stand-in must not find its way into another pickle."""
        raise TypeError(f"{self!r} is a stand-in and can't be pickled")

    def __repr__(self) -> str:
        """Show the origin."""
        return f"<opaque {self.how} {self.origin}>"


def is_opaque(obj: Any, origin: Optional[str] = None) -> bool:
    """Tell whether obj is a stand-in, and for what."""
    return type(obj) is Opaque and (origin is None or obj.origin == origin)
