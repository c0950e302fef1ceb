"""The table of panics: whose they are."""

import threading

import pytest

from tests.concurrency import run_in_threads
from tests.instrument.bodies import X, compiled, pick


@pytest.mark.usefixtures("loader")
def test_panics_belong_to_their_thread_and_revision():
    """A thread takes its own panics; a handle those of its revision, the kernel the newest of all."""
    first, second = (compiled(pick, f"  return x[k] + {c};", "safe") for c in (1, 2))
    while pick.take_panic() is not None:  # Other tests have the same kernel.
        pass
    first(X, 11)
    second(X, 12)
    seen = []
    thread = threading.Thread(
        target=lambda: seen.append((first(X, 13), first.take_panic().message, second.take_panic()))
    )
    thread.start()
    thread.join()
    assert seen == [(0.0, "index 13 out of bounds for x with n = 10", None)]
    assert "index 11 " in first.take_panic().message
    assert "index 12 " in pick.take_panic().message
    assert pick.take_panic() is None


def test_no_thread_takes_the_panic_of_one_that_has_ended():
    """A thread that never panicked has none to take, though the C library gives it the other one's place."""
    revision = compiled(pick, "  return x[k] + 3;", "safe")
    for _ in range(20):
        run_in_threads(1, lambda: revision(X, 11))
        assert run_in_threads(1, lambda: (revision(X, 1), revision.take_panic())) == [(4.0, None)]
