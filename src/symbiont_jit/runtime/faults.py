"""The net below the checks: an instruction that the processor refuses, in an instrumented call, becomes a panic.

In: nothing. Out: handlers of SIGILL, SIGSEGV, SIGBUS and SIGFPE, in C (`faults.c`), installed when instrumented code is
first loaded. What is no fault of an instrumented call goes to the handler that was there before, so Python's
`faulthandler` and debuggers see what they saw. WebAssembly runtimes and the JVM have such a net too.
"""

from __future__ import annotations

import ctypes
import platform
import signal
import sys
import threading
from typing import Final

from symbiont_jit.runtime.library import IS_CATCHING, PREVIOUS, set_handler
from symbiont_jit.uninterrupted import once

__all__ = ["catch_faults", "install_handlers"]

_SIGNALS: Final = (signal.SIGILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE)
_SA_SIGINFO_ONSTACK_NODEFER: Final = 4 | 0x08000000 | 0x40000000
#: Set where code was loaded that wants the net while it was switched off.
_WANTED: Final = threading.Event()
#: The handler reads the program counter where the kernel of this machine leaves it.
_IS_SUPPORTED: Final = sys.platform == "linux" and platform.machine() == "x86_64"


def catch_faults(enabled: bool = True) -> None:
    """Switch the net below the checks off, or on again.

    It is on: where the processor refuses an instruction of a call of `safe` or `checked` code (SIGILL, SIGSEGV, SIGBUS,
    SIGFPE), the call panics (`fault`). The handlers are installed when such code is first loaded, on Linux on x86-64,
    and pass all other faults to the handlers that were there before. Switched off before that, they are not installed;
    afterwards they pass everything.

    Args:
        enabled: Whether faults become panics.

    Example:
        >>> sj.catch_faults(False)  # before the first kernel is called
    """
    IS_CATCHING.value = int(enabled)
    if _WANTED.is_set():
        install_handlers()


def install_handlers() -> None:
    """Install the handlers, once, unless the system is another one; if the net is off, when it is switched on."""
    if not _IS_SUPPORTED:
        return
    if IS_CATCHING.value:
        _install()
    else:
        _WANTED.set()


@once
def _install() -> None:
    for number in _SIGNALS:
        # What was there before is known before the handler can want it.
        ctypes.CDLL(None).sigaction(int(number), None, ctypes.byref(PREVIOUS[number]))
        set_handler(number, "sj_fault", _SA_SIGINFO_ONSTACK_NODEFER)
