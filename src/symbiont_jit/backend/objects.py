"""Canonical C -> object code: bytes that can be kept, sent and loaded, and the caches that keep them.

In: canonical text, the name of its entry, flags. Out: a frozen `ObjectCode`, or `CandidateError` with clang's findings
on canonical lines. Object code is checked before anybody may load it: it defines its entry and asks for nothing but the
library functions in the table.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from symbiont_jit.backend.clang import BITCODE, OBJECT, SYNTAX, clang, describe_target
from symbiont_jit.c import vocabulary
from symbiont_jit.errors import CandidateError, Diagnostic, Stage

__all__ = ["ObjectCode", "bitcode", "cache_directory", "check_object", "compile_object", "expect", "unit_of"]

#: Object code kept in memory, in bytes; the least recently used goes first.
CACHE_BYTES: Final = 64 << 20
#: Clang counts lines from the canonical text on, whatever stands before it.
CANDIDATE_FILE: Final = "candidate.c"
#: What was made of it has other lines.
GUARDED_FILE: Final = "guarded.c"


@dataclass(frozen=True, slots=True)
class ObjectCode:
    """A relocatable object in memory: picklable, and the same wherever `key` is the same.

    `entries` are the functions to be called, `needs` the names that it leaves to the library.
    """

    key: str
    entries: tuple[str, ...]
    data: bytes
    needs: tuple[str, ...]


def unit_of(text: str, after: str = "", before: str = "", file: str = CANDIDATE_FILE) -> str:
    """The whole of what clang reads for a text; `before` and `after` are the project's own C around it."""
    prelude = vocabulary.prelude(before + text + after)
    return f'{prelude}{before}# 1 "{file}"\n{text}# 1 "entries.c"\n{after}'


def compile_object(
    text: str,
    entries: Sequence[str],
    flags: Sequence[str] = (),
    profile: str = "release",
    after: str = "",
    before: str = "",
    also_needs: frozenset[str] = frozenset(),
    made_of: str = "",
    is_sound: bool = False,
) -> ObjectCode:
    """Object code of a canonical text; from the cache where the same was compiled before.

    `entries` are the functions to be called; `before` and `after` are C of the project's own around the text;
    `also_needs` are names that may stay undefined besides the table's (for the project's own C). `made_of` is C with
    the canonical text in it, where `text` is what was made of that: clang looks at it too, unless it `is_sound`. Raises
    `CandidateError` for what clang refuses.
    """
    key = _key(made_of + before + text, entries, after, tuple(flags), profile)
    cached = _CACHE.get(key)
    if cached is not None:
        return _object_code(key, entries, cached)
    file = GUARDED_FILE if made_of else CANDIDATE_FILE
    unit = unit_of(text, after, before if is_sound else made_of + before, file)
    lowered = clang().lower(unit, OBJECT, flags)
    if isinstance(lowered, list):
        raise CandidateError(Stage.LOWER, lowered, text)
    code = _object_code(key, entries, lowered)
    problems = _unknown_names(code, vocabulary.LIBRARY_SYMBOLS | also_needs)
    if problems:
        raise CandidateError(Stage.LINK, problems, text)
    _CACHE.put(key, lowered)
    return code


def expect(flags: Sequence[str], units: int) -> None:
    """So many units with these flags will be compiled at about the same time."""
    clang().expect(OBJECT, flags, units)


def check_object(text: str, flags: Sequence[str] = (), after: str = "") -> None:
    """Raise `CandidateError` for what clang refuses of a canonical text, without compiling it."""
    lowered = clang().lower(unit_of(text, after), SYNTAX, flags)
    if isinstance(lowered, list):
        raise CandidateError(Stage.LOWER, lowered, text)


def _object_code(key: str, entries: Sequence[str], data: bytes) -> ObjectCode:
    defined, needed = symbols(data)
    assert defined.issuperset(entries), "the checks made sure that the text defines its entries"
    return ObjectCode(key, tuple(entries), data, tuple(sorted(needed)))


def bitcode(text: str, flags: Sequence[str] = (), after: str = "") -> bytes:
    """LLVM bitcode of a canonical text, optimised as the object code is."""
    lowered = clang().lower(unit_of(text, after), BITCODE, flags)
    if isinstance(lowered, list):
        raise CandidateError(Stage.LOWER, lowered, text)
    return lowered


def _key(text: str, entries: Sequence[str], after: str, flags: tuple[str, ...], profile: str) -> str:
    parts = (text, *entries, after, profile, *flags, describe_target(), *vocabulary.PRELUDE.values())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


_SYMBOL: Final = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
)


def symbols(data: bytes) -> tuple[set[str], set[str]]:
    """The names an ELF object defines for others and the names it needs (ELF-64, System V gABI, chapter 4)."""
    import llvmlite.binding as llvm

    sections = {s.name(): s.data() for s in llvm.ObjectFileRef.from_data(data).sections()}
    table = np.frombuffer(sections[b".symtab"] if b".symtab" in sections else sections[".symtab"], _SYMBOL)
    strings = sections[b".strtab"] if b".strtab" in sections else sections[".strtab"]
    defined: set[str] = set()
    needed: set[str] = set()
    for row in table[table["info"] >> 4 != 0]:  # binding 0 is local
        name = strings[row["name"] : strings.index(b"\0", row["name"])].decode("ascii", "replace")
        if name == "_GLOBAL_OFFSET_TABLE_":  # the linker's own, not a library's
            continue
        (needed if row["section"] == 0 else defined).add(name)
    return defined, needed


def _unknown_names(code: ObjectCode, allowed: frozenset[str]) -> list[Diagnostic]:
    return [
        Diagnostic(Stage.LINK, "call", f"the compiled code needs '{name}', which is not in the table of functions")
        for name in code.needs
        if name not in allowed
    ]


class _Cache:
    """Object code by key, in memory and, when asked, in a directory; a damaged file is a miss."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self.directory: Path | None = None

    def get(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        data = self._read(key)
        if data is not None:
            self._remember(key, data)
        return data

    def put(self, key: str, data: bytes) -> None:
        self._remember(key, data)
        if self.directory is not None:
            self._write(self.directory / f"{key}.o", hashlib.sha256(data).digest() + data)

    def _remember(self, key: str, data: bytes) -> None:
        with self._lock:
            self._size += len(data) - len(self._kept.get(key, b""))
            self._kept[key] = data
            while self._size > CACHE_BYTES:
                self._size -= len(self._kept.popitem(last=False)[1])

    def _read(self, key: str) -> bytes | None:
        if self.directory is None:
            return None
        try:
            stored = (self.directory / f"{key}.o").read_bytes()
        except OSError:
            return None
        digest, data = stored[:32], stored[32:]
        return data if hashlib.sha256(data).digest() == digest else None

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        """Whole or not at all: another process may read the same directory."""
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not results
            handle, temporary = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)


_CACHE: Final = _Cache()


def cache_directory(path: str | os.PathLike[str] | None) -> None:
    """Keep object code in a directory too, for other processes and later runs; None stops that.

    Whoever can write there can run code in this process: choose a directory of your own.
    """
    if path is not None:
        Path(path).mkdir(parents=True, exist_ok=True, mode=0o700)
    _CACHE.directory = None if path is None else Path(path)


def forget_cached() -> None:
    """Empty the cache in memory (for measurements of compilation)."""
    _CACHE._kept.clear()
    _CACHE._size = 0
