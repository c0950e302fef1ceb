"""How long each stage of a piece of work took.

In: `with stage("clang"):` around the work. Out: seconds by stage, inside of `with collect_stages() as seconds:`.
A stage costs next to nothing where nobody collects.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

__all__ = ["collect_stages", "stage"]

_SECONDS: Final[ContextVar[dict[str, float] | None]] = ContextVar("symbiont_jit stages", default=None)


@contextlib.contextmanager
def collect_stages() -> Iterator[dict[str, float]]:
    """Collect the seconds of the stages inside, also those of threads that got a copy of the context.

    Yields:
        Seconds by the stage's name; a stage that is entered several times has the sum.
    """
    seconds: dict[str, float] = {}
    token = _SECONDS.set(seconds)
    try:
        yield seconds
    finally:
        _SECONDS.reset(token)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Add the time that passes inside to the stage of this name."""
    seconds = _SECONDS.get()
    if seconds is None:
        yield
        return
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started
