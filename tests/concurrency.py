"""Signals that come while something works, threads that work at the same time, and processes that end."""

import contextlib
import signal
import time
from concurrent.futures import ThreadPoolExecutor


@contextlib.contextmanager
def handled(handler, seconds, interval=0.0):
    """Let a handler run on the main thread after so many seconds, and again after each interval."""
    before = signal.signal(signal.SIGALRM, lambda *_: handler())
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6), interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def interruption_after(seconds):
    """Raise `KeyboardInterrupt` on the main thread after so many seconds, as Ctrl-C does."""

    def interrupt():
        raise KeyboardInterrupt

    return handled(interrupt, seconds)


def signal_every(seconds, action, times):
    """Let a signal handler act so many times, never within itself."""
    left, is_acting = times, False

    def act():
        nonlocal left, is_acting
        if is_acting or not left:
            return
        is_acting, left = True, left - 1
        try:
            action()
        finally:
            is_acting = False

    return handled(act, seconds, seconds)


def run_in_threads(count, work):
    """Run the same work on so many threads at once, and return all results."""
    with ThreadPoolExecutor(count) as threads:
        return [future.result() for future in [threads.submit(work) for _ in range(count)]]


def await_true(condition, seconds=20.0):
    """Wait until something is true, and say whether it became true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def has_ended(pid):
    """Whether a process is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
