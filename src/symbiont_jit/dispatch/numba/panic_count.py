"""How many calls of a kernel have panicked: from Python, and from compiled code while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numba import types
from numba.extending import intrinsic, overload

from symbiont_jit.dispatch.numba.lowering import cell_address, panic_table
from symbiont_jit.dispatch.numba.types import KernelType
from symbiont_jit.dispatch.python_entry import CellCallable
from symbiont_jit.errors import UsageError

__all__ = ["panics"]


def panics(kernel: Any) -> int:
    """Return how many calls of a kernel, or of any revision of it, have panicked so far, in all threads.

    It works in compiled code too: ask before and after a loop. `kernel.take_panic()` says what the last panic was.

    Args:
        kernel: A kernel or a handle of one of its revisions.

    Returns:
        The number of panics since the kernel was made.

    Raises:
        UsageError: It is neither a kernel nor a handle.

    Example:
        `before = sj.panics(kernel)`, a loop, then `sj.panics(kernel) - before`.
    """
    if not isinstance(kernel, CellCallable):
        raise UsageError(f"panics() takes a kernel or a revision, not {kernel!r:.60}")
    return kernel._cell.count_panics()


@intrinsic
def _count(typing_context: Any, kernel: KernelType) -> Any:
    """Generate a load of the panic table's first word, which is the count."""

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
