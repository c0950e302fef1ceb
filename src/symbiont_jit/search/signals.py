"""SIGTERM as Ctrl-C: who ends a search from outside gets what was found.

In: a block of code on the main thread. Out: `KeyboardInterrupt` in it at the signal, unless the program handles the
signal itself.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

__all__ = ["interrupt_at_sigterm"]


@contextlib.contextmanager
def interrupt_at_sigterm() -> Iterator[None]:
    """Let SIGTERM raise `KeyboardInterrupt` in this block, where it would end the process at once.

    Yields:
        Nothing.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
