"""What can be known of a Python function as text: its source, and whether it has a body at all."""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from symbiont_jit.dispatch.numba.from_numba import plain_function

__all__ = ["is_empty", "python_source"]


def python_source(body: Callable[..., Any]) -> str:
    """Return the source of a function, or a comment that there is none."""
    with contextlib.suppress(OSError, TypeError):
        return textwrap.dedent(inspect.getsource(plain_function(body)))
    return f"# the source of {body.__name__} is not available\n"


@functools.cache
def _empty_bytecode() -> frozenset[bytes]:
    def documented() -> None:
        """Do nothing."""

    def bare() -> None: ...

    return frozenset(_bytecode(f) for f in (documented, bare))


def _bytecode(function: Callable[..., Any]) -> bytes:
    return " ".join(f"{i.opname}:{i.argval!r}" for i in dis.get_instructions(function)).encode()


def is_empty(function: Callable[..., Any]) -> bool:
    """Whether a body is `...`, `pass` or only a docstring."""
    return _bytecode(function) in _empty_bytecode()
