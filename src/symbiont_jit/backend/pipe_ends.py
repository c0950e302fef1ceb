"""The ends of pipes to child processes, each known by what it is, and not by its number alone.

In: how many pipes are wanted. Out: their ends, of which no child of a fork keeps a copy. An end whose number the
program has closed, and may have given to a file of its own, is lost: it is neither read nor written nor closed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from operator import setitem
from typing import Any, Final

from symbiont_jit.identity import Identity, identify, is_still
from symbiont_jit.uninterrupted import Step, step, take_at_once

__all__ = ["PipeEnd", "close_ends", "make_pipes"]

# `PyDLL` keeps the interpreter's lock, so that no other thread forks in the middle of a call.
_LIBC: Final = ctypes.PyDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class PipeEnd:
    """One end of a pipe: its number, and what was behind that when it was made."""

    number: int
    identity: Identity

    @property
    def is_whole(self) -> bool:
        """Whether the number still is this end's."""
        return is_still(self.number, self.identity)


@dataclass(frozen=True, slots=True, eq=False)
class _NotedEnds:
    """Ends that were made together: numbers, -1 for those that are closed, and identities, once they are known."""

    numbers: Any
    identities: list[Identity | None]

    def close(self, place: int) -> None:
        """Close an end and forget it at once, because its number may be another's then."""
        number, identity = self.numbers[place], self.identities[place]
        is_own = identity is None or is_still(number, identity)  # What is not identified yet was made just now.
        closing = (Step(_LIBC.close, number),) if is_own else ()
        take_at_once((*closing, Step(setitem, self.numbers, place, -1)))

    def open_places(self) -> Iterator[int]:
        """Yield the places of the ends that are not closed."""
        return (place for place, number in enumerate(self.numbers) if number != -1)


_NOTED: Final[list[_NotedEnds]] = []


def make_pipes(count: int) -> list[PipeEnd]:
    """Make some pipes, and return the ends to read from and to write to of each.

    Each pipe is noted where it is made, so that no child of a fork has one that is not noted.
    """
    noted = _NotedEnds((ctypes.c_int * (2 * count))(*[-1] * (2 * count)), [None] * (2 * count))
    _NOTED.append(noted)
    try:
        for number in range(count):
            _make_pipe(noted.numbers, 2 * number)
        ends = [PipeEnd(number, identify(number)) for number in noted.numbers]
    except OSError:
        with step():
            for place in noted.open_places():
                noted.close(place)
            _NOTED.remove(noted)
        raise
    noted.identities[:] = [end.identity for end in ends]
    return ends


def _make_pipe(numbers: Any, place: int) -> None:
    """Make a pipe at a place and the next, above the numbers of the standard streams, which may have been closed."""
    if _LIBC.pipe2(ctypes.byref(numbers, place * ctypes.sizeof(ctypes.c_int)), os.O_CLOEXEC) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for each in (place, place + 1):
        low = numbers[each]
        if low <= 2:
            numbers[each] = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 3)
            os.close(low)


def close_ends(*closed: PipeEnd) -> None:
    """Close ends of pipes, and forget them."""
    known = {(end.number, end.identity) for end in closed}
    with step():
        for noted in tuple(_NOTED):
            for place in noted.open_places():
                if (noted.numbers[place], noted.identities[place]) in known:
                    noted.close(place)
            if set(noted.numbers) == {-1}:
                _NOTED.remove(noted)


def _drop_all() -> None:
    """Close a forked child's copies of all pipes: the processes are its parent's."""
    for noted in _NOTED:
        for place in noted.open_places():
            noted.close(place)
    _NOTED.clear()


os.register_at_fork(after_in_child=_drop_all)
