"""The limit on what runs in the user's own process for the first time."""

import signal
import threading
import time

import pytest
from numba import int64

from symbiont_jit import Evolution, UsageError, evolvable
from symbiont_jit.evaluate import local
from symbiont_jit.evaluate.first_call import first_call_limit
from tests.concurrency import await_true
from tests.kernels import DOT


def spin(_):
    while True:
        pass


@evolvable(source="int64_t wait(int64_t k) { while (k < 1000) k = k / 2; return k; }")
def wait(k: int64) -> int64: ...


ENDLESS = {"sleeps": lambda _: time.sleep(600), "spins": spin, "calls a kernel": lambda _: wait(1)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
def test_a_metric_that_does_not_end_is_the_users_error(dot, monkeypatch, name):
    """Its first call is in this process, and is ended there after a while."""
    monkeypatch.setattr(local, "FIRST_SECONDS", 0.3)
    search = Evolution(dot, metric=ENDLESS[name])
    with pytest.raises(UsageError, match=r"the metric took longer than 0\.3 seconds at its first call"):
        search.evaluate(DOT)


@pytest.mark.slow
def test_the_limit_is_there_on_other_threads():
    """A thread that is not the main one has no signals, and is ended at its next step in Python."""
    raised = []

    def work():
        try:
            with first_call_limit(0.2, "it"):
                spin(None)
        except UsageError as error:
            raised.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert raised == ["it took longer than 0.2 seconds at its first call, for the kernel as it is now"]


def test_nothing_is_left_of_a_limit():
    """What ends in time leaves no alarm and no handler behind."""
    before = signal.getsignal(signal.SIGALRM)
    with first_call_limit(60.0, "it"):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_an_alarm_of_the_users_own_comes_afterwards():
    """Somebody else's handler and what was left of the time are put back, and an alarm that came due comes then."""
    rung = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with first_call_limit(60.0, "it"):
            time.sleep(0.1)
            assert rung == []
        assert await_true(lambda: rung == [signal.SIGALRM])
        signal.setitimer(signal.ITIMER_REAL, 600.0)
        with pytest.raises(UsageError, match="it took longer"), first_call_limit(0.05, "it"):
            time.sleep(60)
        assert 500 < signal.getitimer(signal.ITIMER_REAL)[0] < 600
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
