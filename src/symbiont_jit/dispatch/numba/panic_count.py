"""How many calls of a kernel have panicked: from Python, and from compiled code while it goes on."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from numba import types
from numba.extending import intrinsic, overload

from symbiont_jit.dispatch.numba.types import KernelType, cell_address, panic_table
from symbiont_jit.dispatch.python_entry import CellCallable
from symbiont_jit.errors import UsageError

__all__ = ["panics"]


def panics(kernel: Any) -> int:
    """How many calls of a kernel, or of any revision of it, have panicked so far, in all threads.

    Also in compiled code: ask before and after a loop. `kernel.take_panic()` says what the last one of a thread was.
    """
    if not isinstance(kernel, CellCallable):
        raise UsageError(f"panics() takes a kernel or a revision, not {kernel!r:.60}")
    table = kernel._cell.panics
    return ctypes.c_int64.from_address(table).value if table else 0


@intrinsic
def _count(typing_context: Any, kernel: KernelType) -> Any:
    """The first word of the table."""

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        words = panic_table(builder, cell_address(context, builder, kernel, args[0]))
        return builder.load_atomic(words, ordering="monotonic", align=8)

    return types.int64(kernel), generate


@overload(panics)
def _overload_panics(kernel: Any) -> Any:
    if not isinstance(kernel, KernelType):
        return None

    def count(kernel: Any) -> int:
        return int(_count(kernel))

    return count
