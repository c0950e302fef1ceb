"""Recursive work on a text: as deep as texts may be nested, however deep the caller is.

In: a function that recurses. Out: its result, or what stands for a text that is nested too deeply.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from symbiont_jit.uninterrupted import run_apart, step

__all__ = ["recurse_apart", "run_on_own_stack"]

_T = TypeVar("_T")

#: Frames of Python for the deepest text. Python's own limit is for the whole process, so it is raised for milliseconds.
FRAMES: Final = 3000


def run_on_own_stack(work: Callable[[], _T], too_deep: _T) -> _T:
    """Run recursive work as `recurse_apart` does, and return `too_deep` where it recurses too deeply."""
    try:
        return recurse_apart(work)
    except RecursionError:
        return too_deep


def recurse_apart(work: Callable[[], _T]) -> _T:
    """Run recursive work on a stack of its own: what is too deep must not depend on how deep the caller is.

    Raises:
        RecursionError: The work recurses too deeply.
    """

    def recurse() -> _T:
        with _LIMIT.hold_up():
            return work()

    return run_apart(recurse)


class _Limit:
    """Python's limit of recursion, raised while anybody needs that."""

    def __init__(self) -> None:
        self._users = 0
        self._before = 0

    @contextlib.contextmanager
    def hold_up(self) -> Iterator[None]:
        with step():
            if self._users == 0:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._before, FRAMES))
            self._users += 1
        try:
            yield
        finally:
            with step():
                self._users -= 1
                if self._users == 0:
                    self._lower()

    def forget_others(self) -> None:
        """Lower the limit in the child of a fork, where nobody else is left who needs it."""
        if self._users:
            self._users = 0
            self._lower()

    def _lower(self) -> None:
        # Whoever has set another limit meanwhile meant it.
        if sys.getrecursionlimit() == max(self._before, FRAMES):
            with contextlib.suppress(RecursionError):
                sys.setrecursionlimit(self._before)


_LIMIT: Final = _Limit()
os.register_at_fork(after_in_child=_LIMIT.forget_others)
