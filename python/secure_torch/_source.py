"""Opens what st.load is given, once: the same descriptor is scanned, indexed and mapped."""

from __future__ import annotations

import io
import mmap
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Optional, Union

from .errors import IncompleteScanError

FileLike = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes]]

_F_ADD_SEALS = 1033
_ALL_SEALS = 0x1 | 0x2 | 0x4 | 0x8  # seal, shrink, grow, write
_CHUNK = 1 << 24


class Source:
    """An open, regular file."""

    def __init__(self, fd: int, name: str) -> None:
        """Take the descriptor over."""
        self.fd, self.name = fd, name
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise IncompleteScanError(f"{name} is not a regular file")
        self.size = info.st_size
        self._state = _state(info)

    def map(self) -> Optional[mmap.mmap]:
        """Map the whole file privately: writing to it changes nobody's file. None if it is empty."""
        if self.size == 0:
            return None
        return mmap.mmap(self.fd, self.size, access=mmap.ACCESS_COPY)

    def check(self) -> None:
        """Refuse a file that is no longer what was scanned."""
        if _state(os.fstat(self.fd)) != self._state:
            raise IncompleteScanError(f"{self.name} changed while it was loaded")


def _state(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns


@contextmanager
def opened(file: FileLike, sealed: bool = False) -> Iterator[Source]:
    """Open a path, bytes or a file object. Sealed: as a private copy in memory that nobody can change any more."""
    name = "model"
    if isinstance(file, (bytes, bytearray, memoryview)):
        fd = _in_memory(io.BytesIO(file))
    elif isinstance(file, (str, os.PathLike)):
        path = os.fspath(file)
        if "\0" in path:
            raise FileNotFoundError(f"no file has a NUL in its name: {path!r}")
        name = path
        # Not blocking: a pipe without a writer must not hold the caller up. Regular files don't care.
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
    else:
        name = str(getattr(file, "name", name))
        fd = _of_object(file)
    try:
        if sealed:
            Source(fd, name)
            with os.fdopen(os.dup(fd), "rb") as original:
                original.seek(0)
                copy = _in_memory(original)
            os.close(fd)
            fd = copy
        fd = above_standard(fd)
        yield Source(fd, name)
    finally:
        os.close(fd)


def above_standard(fd: int) -> int:
    """Move a descriptor out of 0 to 2, where it comes to lie when these are closed: a child has others of its own there."""
    low = []
    while fd <= 2:
        low.append(fd)
        fd = os.dup(fd)
    for each in low:
        os.close(each)
    return fd


def _of_object(file: Any) -> int:
    """Return a descriptor of its own for a file object: of the file behind it, or of a copy of what it reads.

    The file is left at its end: what is loaded is the whole of it, and a second call has nothing to return.
    """
    if not hasattr(file, "read"):
        raise TypeError(f"a path, bytes or a binary file is needed, not {type(file).__name__}")
    try:
        at = file.tell()
    except (OSError, AttributeError, ValueError):
        at = 0  # a pipe or the like: it has no beginning but this
    if at:
        raise ValueError(
            f"the file is at offset {at}, not at its beginning: st.load reads whole files. Call seek(0) first; of several "
            "saves in one file, pass the bytes of each"
        )
    try:
        fd = file.fileno()
        if stat.S_ISREG(os.fstat(fd).st_mode):
            own = os.dup(fd)
            file.seek(0, os.SEEK_END)
            return own
    except (OSError, AttributeError, ValueError):
        pass
    return _in_memory(file)


def _in_memory(file: Any) -> int:
    """Copy what is left of a file object into memory that has a descriptor, sealed where the system can."""
    if not hasattr(os, "memfd_create"):
        return _in_temporary(file)
    fd = os.memfd_create("secure-torch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        _copy(file, fd)
        import fcntl

        fcntl.fcntl(fd, _F_ADD_SEALS, _ALL_SEALS)
        return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(fd)


def _in_temporary(file: Any) -> int:
    with tempfile.TemporaryFile() as copy:
        _copy(file, copy.fileno())
        return os.dup(copy.fileno())


def _copy(file: Any, fd: int) -> None:
    while chunk := file.read(_CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(fd, view) :]
