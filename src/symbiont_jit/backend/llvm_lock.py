"""The lock of the LLVM in this process, which no fork comes upon while it is held.

In: nothing. Out: llvmlite's own lock, which it takes for each call and which may be taken for several.
"""

from __future__ import annotations

from typing import Any

from symbiont_jit.uninterrupted import hold_over_forks, once

__all__ = ["llvm_lock"]


@once
def llvm_lock() -> Any:
    """Return the lock that llvmlite takes for each call; from now on whoever forks takes it too.

    So no child inherits it from a thread that does not exist there, or a standard error that leads elsewhere.
    """
    from llvmlite.binding import ffi

    lock = ffi.lib._lock._lock
    hold_over_forks(lock)
    return lock
