"""Executable memory that many objects share: room for code, and the room that closed code gives back.

In: sizes and bytes. Out: `Place`s, at which code stays until they are given back. Chunks come from the system and are
always executable; they are writable only while they are written to. `NoCodeMemory` says that the system gives none.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
from bisect import bisect
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from symbiont_jit.backend.relocate import TRAP, round_up
from symbiont_jit.uninterrupted import LOCK, renew_in_children, step, uninterrupted

__all__ = [
    "CODE_MEMORY",
    "CODE_RANGES",
    "CodeMemory",
    "CodeRange",
    "CodeRanges",
    "NoCodeMemory",
    "Place",
    "find_mapping",
]

#: Bytes that the system is asked for at a time.
CHUNK: Final = 1 << 20

# `PyDLL` keeps the interpreter's lock: these calls are shorter than getting it back from a busy thread.
_LIBC: Final = ctypes.PyDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_LIBC.memmove.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_MAP_FAILED: Final = ctypes.c_void_p(-1).value
#: The mapping is private, because a worker process is forked with this memory and must not write into its parent's.
_PRIVATE: Final = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_RUN: Final = mmap.PROT_READ | mmap.PROT_EXEC


def find_mapping(address: int) -> tuple[int, int]:
    """Return the ends of the mapping that an address is in; where the system does not say, nothing at the address."""
    with contextlib.suppress(OSError), open("/proc/self/maps") as lines:
        bounds = ([int(end, 16) for end in line.split(maxsplit=1)[0].split("-")] for line in lines)
        return next(((low, high) for low, high in bounds if low <= address < high), (address, address))
    return address, address


class CodeRange(ctypes.Structure):
    """A range of addresses with machine code; free where `end` is 0."""

    _fields_ = (("start", ctypes.c_uint64), ("end", ctypes.c_uint64))


class CodeRanges(ctypes.Structure):
    """Where machine code lies in this process: a table that C reads at any moment, in the handler of a fault.

    Where it is full, further ranges are not in it.
    """

    _fields_ = (("ranges", CodeRange * 4096),)

    def add(self, start: int, end: int) -> None:
        """Add a range; the end, which makes it count, is stored last."""
        free = next((known for known in self.ranges if not known.end), None)
        if free is not None:
            free.start = start
            free.end = end

    def remove(self, start: int) -> None:
        """Remove a range that was added."""
        found = next((known for known in self.ranges if known.end and known.start == start), None)
        if found is not None:
            found.end = 0


@dataclass(slots=True, eq=False)
class Chunk:
    """Memory from the system, and the ranges of it that nobody has: ascending, and never one beside another."""

    start: int
    end: int
    free: list[tuple[int, int]]

    def take(self, size: int, align: int) -> int | None:
        """Take the first free range that fits, and return its start."""
        for index, (low, high) in enumerate(self.free):
            start = round_up(low, align)
            if start + size <= high:
                rest = ((low, start), (start + size, high))
                self.free[index : index + 1] = [(a, b) for a, b in rest if a < b]
                return start
        return None

    def give(self, low: int, high: int) -> None:
        """Make a range free, and join it with free neighbours."""
        index = bisect(self.free, (low, high))
        if index < len(self.free) and self.free[index][0] == high:
            high = self.free.pop(index)[1]
        if index and self.free[index - 1][1] == low:
            index -= 1
            low = self.free.pop(index)[0]
        self.free.insert(index, (low, high))


class NoCodeMemory(Exception):  # noqa: N818 - an answer that is expected, no error of anybody's
    """Raised where the system gives no executable memory, now or by a rule."""


@dataclass(slots=True, eq=False)
class Place:
    """Room for the code of one object; `chunk` is None once it was given back."""

    start: int
    size: int
    chunk: Chunk | None = field(repr=False)


@dataclass(slots=True)
class CodeMemory:
    """The owner of all chunks; all work is in steps, because no thread may close pages that another writes to.

    Half a step would give two objects the same memory.
    """

    chunks: list[Chunk] = field(default_factory=list)
    given: deque[Place] = field(default_factory=deque)
    refusal: str = ""

    @uninterrupted
    def take(self, size: int, align: int) -> Place:
        """Take a place that nobody else gets until it is given back."""
        with step():
            self._free_given()
            if self.refusal:
                raise NoCodeMemory(self.refusal)
            for chunk in self.chunks:
                start = chunk.take(size, align)
                if start is not None:
                    return Place(start, size, chunk)
            chunk = self._map(round_up(max(size + align, CHUNK), mmap.PAGESIZE))
            start = chunk.take(size, align)
            assert start is not None
            return Place(start, size, chunk)

    @uninterrupted
    def write(self, place: Place, code: bytes) -> None:
        """Write code to a place."""
        assert len(code) == place.size
        with step():
            self._fill(place, code)

    def give(self, place: Place) -> None:
        """Take a place back: now or, in the middle of a step, before the next one is taken."""
        self.given.append(place)
        if not LOCK._is_owned():  # type: ignore[attr-defined]  # Whoever gives it there is a part of that step.
            self._give()

    @uninterrupted
    def _give(self) -> None:
        with step():
            self._free_given()

    def _free_given(self) -> None:
        while self.given:
            place = self.given.popleft()
            chunk, place.chunk = place.chunk, None
            if chunk is None:
                continue
            chunk.give(place.start, place.start + place.size)
            size = chunk.end - chunk.start
            # One chunk of the usual size stays, so that an object that comes and goes alone needs no new one.
            if chunk.free == [(chunk.start, chunk.end)] and (len(self.chunks) > 1 or size > CHUNK):
                self.chunks.remove(chunk)
                CODE_RANGES.remove(chunk.start)
                _LIBC.munmap(chunk.start, size)
            else:
                with contextlib.suppress(NoCodeMemory):
                    self._fill(place, TRAP * place.size)

    def _map(self, size: int) -> Chunk:
        start = _LIBC.mmap(None, size, _RUN, _PRIVATE, -1, 0)
        if start == _MAP_FAILED:
            raise self._failure("mmap")
        self.chunks.append(Chunk(start, start + size, [(start, start + size)]))
        CODE_RANGES.add(start, start + size)
        return self.chunks[-1]

    def _fill(self, place: Place, code: bytes) -> None:
        """Write to pages that stay executable meanwhile, because threads are inside of other code there."""
        start = place.start // mmap.PAGESIZE * mmap.PAGESIZE
        size = round_up(place.start + place.size, mmap.PAGESIZE) - start
        if _LIBC.mprotect(start, size, _RUN | mmap.PROT_WRITE) != 0:
            raise self._failure("mprotect")
        _LIBC.memmove(place.start, code, len(code))
        if _LIBC.mprotect(start, size, _RUN) != 0:
            raise self._failure("mprotect")

    def _failure(self, call: str) -> NoCodeMemory:
        number = ctypes.get_errno()
        message = f"{call}: {os.strerror(number)}"
        if number in (errno.EACCES, errno.EPERM):  # A rule of the system stays, while a lack of memory may pass.
            self.refusal = message
        return NoCodeMemory(message)

    def renew(self) -> None:
        """Begin anew in a child that was forked in the middle of a step; what is loaded stays where it is."""
        self.chunks, self.given = [], deque()


#: C knows it as `sj_code`.
CODE_RANGES: Final = CodeRanges()
CODE_MEMORY: Final = CodeMemory()
renew_in_children(CODE_MEMORY.renew)
