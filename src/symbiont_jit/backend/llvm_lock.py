"""The lock of the LLVM in this process, which no fork comes upon while it is held.

In: nothing. Out: llvmlite's own lock, which it takes for each call and which may be taken for several.
"""

from __future__ import annotations

import os
from typing import Any

from symbiont_jit.uninterrupted import once

__all__ = ["llvm_lock"]


@once
def llvm_lock() -> Any:
    """Return the lock that llvmlite takes for each call; from now on whoever forks takes it too.

    So no child inherits it from a thread that does not exist there, or a standard error that leads elsewhere.
    """
    from llvmlite.binding import ffi

    # This is C's lock within llvmlite's own.
    lock = ffi.lib._lock._lock
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock._at_fork_reinit)
    return lock
