"""Workers that serve the same function, one to each thread that asks."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from symbiont_jit.errors import UsageError
from symbiont_jit.isolate.pool import WorkerPool
from symbiont_jit.isolate.start import STARTS, NoRoomError
from symbiont_jit.isolate.worker import Crash, WorkerReply
from tests.child import in_child
from tests.concurrency import await_true


@pytest.fixture
def pool():
    """Two workers that say who they are."""
    made = WorkerPool(2, lambda _: os.getpid())
    yield made
    made.close()


def ask(pool, epoch=None):
    """The process that answered."""
    with pool.idle_worker(pool.epoch if epoch is None else epoch) as worker:
        outcome = worker.ask(None, 10.0)
        assert isinstance(outcome, WorkerReply), outcome
        return outcome.value


@pytest.mark.slow
def test_the_worker_that_was_used_last_is_used_again(pool):
    """Who asks one at a time starts one process only."""
    assert len({ask(pool) for _ in range(4)}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("at", ["stop", "close"])
def test_an_end_that_is_interrupted_is_no_end_for_later_requests(pool, monkeypatch, at):
    """Whoever is interrupted while all children are ended finds new ones afterwards."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = ask(pool)
    with monkeypatch.context() as patch:
        patch.setattr(pool.workers[1], at, interrupt)
        with pytest.raises(KeyboardInterrupt):
            pool.close()
    assert ask(pool) != before
    assert len({ask(pool) for _ in range(3)}) == 1


@pytest.mark.slow
def test_two_threads_have_two_workers(pool):
    """While one has a worker, another one gets the other."""
    with pool.idle_worker(pool.epoch) as worker:
        first = worker.ask(None, 10.0)
        found = []
        other = threading.Thread(target=lambda: found.append(ask(pool)))
        other.start()
        other.join()
    assert found != [first.value]


def test_who_began_before_the_end_gets_none(pool):
    """What was begun before everything was ended starts no process afterwards."""
    epoch = pool.epoch
    pool.close()
    with pool.idle_worker(epoch) as worker:
        assert worker is None


@pytest.mark.slow
def test_what_is_started_after_the_end_is_ended(pool):
    """Who had a worker when everything was ended leaves no process of it, and the worker is there for others."""
    with pool.idle_worker(pool.epoch) as worker:
        pool.close()
        assert isinstance(worker.ask(None, 10.0), WorkerReply)
        late = worker._child.process
    assert late.exitcode is not None
    assert ask(pool) != late.pid


@pytest.mark.slow
def test_the_end_is_a_crash_for_who_waits():
    """A thread that waits for an answer has one at once."""
    begun = threading.Event()
    pool = WorkerPool(1, lambda _: threading.Event().wait(60))
    found = []

    def wait():
        with pool.idle_worker(pool.epoch) as worker:
            begun.set()
            found.append(worker.ask(None, 50.0))

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait()
    while thread.is_alive():
        pool.close()
        thread.join(0.05)
    assert isinstance(found[0], Crash)


@pytest.mark.slow
def test_a_forked_process_has_all_workers(pool):
    """One that the parent's thread was using at the fork is idle in the child."""
    with pool.idle_worker(pool.epoch), pool.idle_worker(pool.epoch):
        assert in_child(lambda: str(ask(pool) > 0)) == "True"


def test_a_worker_without_room_waits_for_the_others(tmp_path):
    """What takes all the room may be what another worker is at, which will end."""
    tried, end = [], tmp_path / "end"

    def start(*given):
        tried.append(None)
        if len(tried) == 1:
            return STARTS["fork"](*given)
        if any(worker.is_asked for worker in pool.workers):
            if len(tried) > 3:
                end.touch()
            raise NoRoomError("a worker cannot be started")
        return STARTS["fork"](*given)

    pool = WorkerPool(2, lambda waits: await_true(lambda: not waits or end.exists()), start)
    try:
        with ThreadPoolExecutor(1) as threads, pool.idle_worker(pool.epoch) as first:
            answer = threads.submit(first.ask, True, 60.0)
            assert await_true(lambda: first.is_asked)
            with pool.idle_worker(pool.epoch) as second:
                assert second.ask(False, 60.0) == WorkerReply(True)
            assert answer.result() == WorkerReply(True)
    finally:
        pool.close()
    assert len(tried) > 4


def test_a_request_of_the_parents_is_none_in_a_forked_child(pool):
    """A child waits for no room that a request of its parent's could make: it never sees that end."""
    worker = pool.workers[0]
    worker._asked_in = os.getpid()
    assert worker.is_asked
    assert in_child(lambda: str(worker.is_asked)) == "False"


def test_a_worker_without_room_gives_up_where_no_other_works():
    """Where nothing will end that could make room, the error comes at once."""
    tried = []

    def start(*_):
        tried.append(None)
        raise NoRoomError("a worker cannot be started")

    pool = WorkerPool(2, lambda _: None, start)
    with pytest.raises(UsageError, match="cannot be started"), pool.idle_worker(pool.epoch) as worker:
        worker.ask(None, 10.0)
    assert len(tried) == 1
