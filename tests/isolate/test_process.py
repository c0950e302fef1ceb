"""A worker in a program that also has other processes: it forks, or takes the exit codes of all children."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from symbiont_jit.isolate.process import UNKNOWN_CODE, Process, _end, _find_children, _has_ended
from symbiont_jit.isolate.start import STARTS
from symbiont_jit.isolate.worker import Crash, Worker
from tests.child import in_child
from tests.concurrency import await_true
from tests.isolate.served import answer, ask, run_python


def ignore_children():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def reap_all_children():
    """Wait for all children, in a thread of its own."""

    def reap():
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                continue

    threading.Thread(target=reap, daemon=True).start()


def live_and_end(start, disturb):
    """What a worker says, and how it ends, where its exit codes are taken away."""
    worker = Worker(answer, STARTS[start])
    first = ask(worker, "process")
    disturb()
    crash = worker.ask(("speak_and", "", "exit", "leaving"), 10.0)
    second = ask(worker, "process")
    worker.close()
    assert first != second != ask(worker, "process")
    worker.close()
    assert isinstance(crash, Crash)
    assert crash.reason.startswith("an unknown exit code"), crash
    return crash.phase


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_program_that_ignores_its_children(start):
    """A worker whose exit code the system does not keep has ended all the same, and the next one answers."""
    assert in_child(lambda: ignore_children() or live_and_end(start, lambda: None), 60.0) == "leaving"


def test_a_program_in_which_somebody_waits_for_all_children():
    """A worker that somebody else has waited for is started again, and closed, as any other."""

    def work():
        worker = Worker(answer)
        first = ask(worker, "process")
        reap_all_children()
        assert isinstance(worker.ask(("speak_and", "", "exit", ""), 10.0), Crash)
        second = ask(worker, "process")
        worker.close()
        return str(first != second)

    assert in_child(work) == "True"


def test_children_are_found_where_the_kernel_keeps_no_lists_of_them(monkeypatch):
    """Then all processes are asked for their parents; one that has ended is a child until somebody waits for it."""
    read = Path.read_text

    def refuse(path, *arguments, **options):
        if path.name == "children":
            raise FileNotFoundError(path)
        return read(path, *arguments, **options)

    with subprocess.Popen(["sleep", "60"]) as living, subprocess.Popen(["true"]) as ended:
        assert await_true(lambda: _has_ended(ended.pid))
        assert not _has_ended(living.pid)
        listed = _find_children(os.getpid())
        monkeypatch.setattr(Path, "read_text", refuse)
        assert sorted(_find_children(os.getpid())) == sorted(listed)
        assert {living.pid, ended.pid} <= set(listed)
        living.kill()


def test_whoever_gets_the_number_of_a_worker_is_left_alone():
    """A child of this program that was born at another time is another one, whose number is only the same."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        process = Process(other.pid)
        process._birth = "1"
        assert process.exitcode == UNKNOWN_CODE
        process.kill()
        process.kill_tree()
        _end(other.pid, "1", os.getpid())
        assert other.poll() is None
        other.kill()


# -- forks ------------------------------------------------------------------------------------------------------------


def test_a_forked_process_has_a_worker_of_its_own(worker):
    """A process that is forked from one with a worker starts another, whose end leaves the first one alone."""
    parents = ask(worker, "process")

    def work():
        own = ask(worker, "process")
        assert ask(worker, "process") == own
        assert isinstance(worker.ask(("speak_and", "", "exit", ""), 10.0), Crash)
        worker.close()
        return str(own)

    assert int(in_child(work)) != parents
    assert ask(worker, "process") == parents


def test_a_forked_process_ends_no_worker_of_its_parent(worker):
    """Who closes or stops a worker that another process has ends nothing, and can ask it then."""
    parents = ask(worker, "process")

    def work():
        worker.stop()
        worker.close()
        return str(ask(worker, "process") != parents)

    assert in_child(work) == "True"
    assert ask(worker, "process") == parents


FORKING = """
import os, sys, time
from symbiont_jit.isolate.worker import Worker

def serve(request):
    time.sleep(0.2)
    return [request, os.getpid()]

worker = Worker(serve)
worker.ask("before", 10.0)
child = os.fork()
name = "parent" if child else "child"
answers = [worker.ask(f"{name} {i}", 10.0).value for i in range(3)]
assert [words for words, _ in answers] == [f"{name} {i}" for i in range(3)], answers
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert worker.ask("after", 10.0).value == ["after", answers[0][1]]
    print("done")
"""


@pytest.mark.slow
def test_parent_and_child_get_their_own_answers():
    """Both ask at the same time and get what they asked for, and the usual end of one ends nothing of the other's."""
    done = run_python(FORKING)
    assert done.communicate(timeout=60) == ("done\n", "")


BECOMING_A_DAEMON = """
import os, sys
from symbiont_jit.isolate.worker import Worker

worker = Worker(lambda request: [request, os.write(1, b"words")])
assert worker.ask("before", 10.0).value == ["before", 5]
if sys.argv[2] == "forked" and (child := os.fork()):
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.closerange(3, 256)
files = [os.open(sys.argv[1], os.O_RDWR) for _ in range(20)]
assert worker.ask("after", 10.0).value == ["after", 5]
worker.close()
assert [os.pread(file, 20, 0) for file in files] == [b"the user's"] * 20
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["forked", "as it is"])
def test_a_program_that_becomes_a_daemon(tmp_path, how):
    """Who closes all that is open, and opens files that get the same numbers, keeps them whole and has workers."""
    path = tmp_path / "file"
    path.write_text("the user's")
    done = run_python(BECOMING_A_DAEMON, str(path), how)
    assert done.communicate(timeout=60) == ("done\n", "")
    assert path.read_text() == "the user's"
