"""What was compiled, kept by key: object code and its bitcode, in memory and, when asked, in a directory.

In: keys and bytes. Out: the bytes that were put there, or None: the caller makes them again. A damaged file is a miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from symbiont_jit.uninterrupted import renew_in_children, step, uninterrupted

__all__ = ["BITCODE", "OBJECTS", "cache_directory", "forget_cached"]


@dataclass(slots=True, eq=False)
class _Cache:
    """Bytes by key, at most `limit` of them in memory; the least recently used go first. Files end in `suffix`."""

    suffix: str
    limit: int
    directory: Path | None = None
    _kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    _size: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be found, in memory or in a directory."""
        return not self._kept and self.directory is None

    def get(self, key: str) -> bytes | None:
        """Return the bytes of a key, from memory or the directory."""
        data = self._kept.get(key)
        if data is not None:
            with contextlib.suppress(KeyError):  # Another thread may have dropped it since.
                self._kept.move_to_end(key)
            return data
        data = self._read(key)
        if data is not None:
            self._remember(key, data)
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key, in memory and in the directory if there is one."""
        self._remember(key, data)
        if self.directory is not None:
            _write(self.directory / f"{key}{self.suffix}", hashlib.sha256(data).digest() + data)

    def renew(self) -> None:
        """Begin anew in a child that was forked in the middle of a step."""
        self._kept, self._size = OrderedDict(), 0

    @uninterrupted
    def forget(self) -> None:
        """Drop what is in memory."""
        with step():
            self._kept.clear()
            self._size = 0

    @uninterrupted
    def _remember(self, key: str, data: bytes) -> None:
        with step():
            self._size += len(data) - len(self._kept.get(key, b""))
            self._kept[key] = data
            self._kept.move_to_end(key)
            while self._size > self.limit:
                self._size -= len(self._kept.popitem(last=False)[1])

    def _read(self, key: str) -> bytes | None:
        if self.directory is None:
            return None
        try:
            stored = (self.directory / f"{key}{self.suffix}").read_bytes()
        except OSError:
            return None
        digest, data = stored[:32], stored[32:]
        return data if hashlib.sha256(data).digest() == digest else None


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, because another process may read the same directory."""
    with contextlib.suppress(OSError):  # A cache that cannot be written costs time, not results.
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)


#: The cache of object code. Every revision keeps its object code anyway, so the cached bytes are those of revisions.
OBJECTS: Final = _Cache(".o", 64 << 20)
#: The cache of bitcode, which only `freeze` and `inspect_llvm` ask for, and which is three times as long.
BITCODE: Final = _Cache(".bc", 4 << 20)
_CACHES: Final = (OBJECTS, BITCODE)
for _cache in _CACHES:
    renew_in_children(_cache.renew)


def cache_directory(path: str | os.PathLike[str] | None) -> None:
    """Keep object code in a directory too, for other processes and later runs.

    Whoever can write to the directory can run code in this process: choose a directory of your own.

    Args:
        path: The directory, which is made if there is none; None stops the use of one.

    Raises:
        OSError: The directory cannot be made.

    Example:
        >>> sj.cache_directory(Path.home() / ".cache" / "my-kernels")
    """
    if path is not None:
        Path(path).mkdir(parents=True, exist_ok=True, mode=0o700)
    for cache in _CACHES:
        cache.directory = None if path is None else Path(path)


def forget_cached() -> None:
    """Empty the caches in memory, so that the next compilation can be measured."""
    for cache in _CACHES:
        cache.forget()
