"""Limits on memory and processor time, and the filter of system calls."""

import errno
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from symbiont_jit import Evolution, Status
from symbiont_jit.isolate import sandbox
from symbiont_jit.isolate.sandbox import ASKING, all_but, filter_problem
from symbiont_jit.isolate.worker import Crash, Worker
from tests.isolate.served import answer, ask, run_python, spin
from tests.kernels import DOT

REFUSED = (
    "fork", "vfork", "exec", "spawn", "socket", "unix socket", "a pair of sockets of another family", "a pair of datagram sockets", "connect", "write", "append", "create",
    "unnamed file", "unlink", "rename", "truncate", "chmod", "link", "symlink", "mkdir", "mkfifo", "kill the parent",
    "kill itself", "kill the group", "kill a thread of the parent", "pidfd", "ptrace", "read the parent's memory",
    "write the parent's memory", "mount", "unshare", "setuid", "fchmodat2", "own the signals of a file",
    "choose the signal of a file", "type into a terminal", "type with more bits", "schedule the parent",
    "the parent's priority", "shared memory of System V", "lease a file", "watch a folder", "own the signals of a socket",
    "own the group of a socket", "the attributes of a file", "files in memory", "outlive the parent",
    "let others go", "delegate a file", "a larger pipe", "lock for all who have it open", "wait for such a lock",
    "own the signals of a file in another way",
    "lock a file", "how long an inode's data live", "how long a file's data live", "set a terminal",
    "set a terminal's speed", "size a terminal", "take a terminal alone", "a buffer beyond the limit",
    "a ruleset of files",
)  # fmt: skip


# -- limits -----------------------------------------------------------------------------------------------------------


def test_memory_is_limited(worker):
    """More memory than the limit is refused to the worker, less is not; the parent has no limit from it."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert ask(worker, "take_memory", 2 * sandbox.MEMORY) == "no memory"
    assert ask(worker, "take_memory", sandbox.MEMORY // 2) == sandbox.MEMORY // 2
    assert ask(worker, "limits")["RLIMIT_CORE"] == [0, 0]
    assert ask(worker, "limits")["RLIMIT_AS"][0] > sandbox.MEMORY
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_too_much_memory_is_a_status(dot):
    """A metric that asks for too much gives the candidate a status and a message."""
    parent = os.getpid()
    metric = lambda k: 1.0 if os.getpid() == parent else np.empty(2 * sandbox.MEMORY, np.uint8).nbytes  # noqa: E731
    with Evolution(dot, metric=metric) as search:
        evaluation = search.evaluate(DOT)
    assert evaluation.status is Status.WRONG
    assert "Unable to allocate" in evaluation.diagnostics[0].message


@pytest.mark.slow
def test_processor_time_is_limited():
    """A worker whose parent does not kill it is ended by the system once it has used its time."""
    worker = Worker(lambda request: (sandbox.limit_processor_time(-1.0), spin()))
    try:
        assert worker.ask(None, 60.0) == Crash("signal SIGXCPU")
    finally:
        worker.close()


#: Root's threads are not counted, so what root starts belongs to a user of its own.
COUNTED = """
import os, resource, sys
from symbiont_jit.isolate.sandbox import _count_tasks
from symbiont_jit.isolate.worker import Worker
from tests.isolate.served import answer, ask
if os.getuid() == 0:
    os.setresuid(54321, 0, 0)
resource.setrlimit(resource.RLIMIT_NPROC, (_count_tasks() + int(sys.argv[1]),) * 2)
print(ask(Worker(answer), "start_threads"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("rest", "least", "most"), [(200, 80, 110), (20_000, 1000, 1024)])
def test_a_worker_starts_so_many_threads_and_no_more(rest, least, most):
    """Others of the same user have half of what is left, and most of what is much."""
    said, errors = run_python(COUNTED, str(rest)).communicate(timeout=60)
    assert errors == ""
    assert least <= int(said) <= most


def test_a_limit_that_allows_no_thread_at_all_is_given_up(monkeypatch):
    """Where the system counts others that a worker does not see, honest threads are started nevertheless."""
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    monkeypatch.setattr(sandbox, "_count_tasks", lambda: 0)
    monkeypatch.setattr(sandbox, "_can_start_thread", lambda: False)
    worker = Worker(answer)
    try:
        assert ask(worker, "limit_of_tasks") == list(resource.getrlimit(resource.RLIMIT_NPROC))
    finally:
        worker.close()


# -- the filter of system calls ---------------------------------------------------------------------------------------


def test_the_reason_for_no_filter(monkeypatch):
    """Where there is no filter, the reason says what to install; where there is one, there is no reason."""
    assert filter_problem() is None or "seccomp" in filter_problem()
    sandbox._library.cache_clear()
    try:
        monkeypatch.setitem(sys.modules, "pyseccomp", None)
        if sys.platform == "linux":
            assert filter_problem() == "pyseccomp is not installed (pip install 'symbiont-jit[sandbox]')"
            sandbox.restrict()  # does nothing then
        sandbox._library.cache_clear()
        monkeypatch.setattr(sys, "platform", "darwin")
        assert filter_problem() == "the system has no seccomp"
    finally:
        monkeypatch.undo()
        sandbox._library.cache_clear()


@pytest.mark.table
@pytest.mark.parametrize("name", REFUSED)
def test_what_the_filter_refuses(worker, tmp_path, name):
    """System calls that reach outside fail with EPERM, and nothing has happened."""
    if filter_problem() is not None:
        pytest.skip("there is no filter of system calls")
    path = tmp_path / "file"
    path.write_text("as it was")
    path.chmod(0o600)
    assert errno.errorcode.get(ask(worker, "refused", name, str(path))) == "EPERM"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("as it was", 0o600)


def test_a_call_of_another_machine_ends_the_process(worker):
    """All of its threads, and in a way that says so."""
    if filter_problem() is not None or platform.machine() != "x86_64":
        pytest.skip("there is no filter of system calls")
    assert worker.ask(("ask_in_32_bits",), 20.0) == Crash("signal SIGSYS")


def test_what_the_filter_lets_pass(worker):
    """Threads, reading files and signals to oneself work; a pool of Numba or BLAS needs the first."""
    assert ask(worker, "run_thread") == [0, 1, 2, 3]
    assert ask(worker, "read_file", __file__) == Path(__file__).read_text()
    assert ask(worker, "own_signal") == [signal.SIGUSR1]
    assert ask(worker, "ask_descriptors") == [False, 3, False]


@pytest.mark.parametrize(
    "name", "TCGETS TCGETA TIOCGWINSZ TIOCGPGRP TIOCGSID FIONREAD TIOCOUTQ FIONBIO FIONCLEX FIOCLEX".split()
)
def test_who_asks_a_terminal_is_answered(worker, name):
    """Commands that only ask reach the device, which says for itself what it does not know."""
    assert ask(worker, "ask_of_null", name) in (0, errno.ENOTTY)


@given(
    st.integers(0, (1 << 32) - 1)
    | st.sampled_from(ASKING).flatmap(lambda n: st.integers(0, 31).map(lambda i: n ^ 1 << i))
)
def test_a_list_of_commands_is_complete(command):
    """A command that only asks has no value of the table, and each other one has exactly one."""
    found = [value for mask, value in all_but(ASKING) if command & mask == value]
    assert len(found) == (command not in ASKING)


@pytest.mark.table
@pytest.mark.parametrize("name", ["a sibling", *(f"a name space {bit}" for bit in (17, *range(25, 31)))])
def test_who_may_start_processes_starts_children_alone(name):
    """Nothing that a worker starts is a child of its parent's, or has name spaces of its own."""
    if filter_problem() is not None or platform.machine() != "x86_64":
        pytest.skip("there is no filter of system calls")
    worker = Worker(answer, permissions=["processes"])
    try:
        assert errno.errorcode.get(ask(worker, "refused", name, "")) == "EPERM"
    finally:
        worker.close()


def test_a_worker_has_no_privileges_but_those_about_files(worker):
    """What a privileged user may do beyond reading and writing files is given up, whatever it is."""
    words = dict(line.split(":\t") for line in ask(worker, "read_file", "/proc/self/status").splitlines())
    sets = [int(words[name], 16) for name in ("CapEff", "CapPrm", "CapInh")]
    assert [each & ~(1 << 1 | 1 << 2) for each in sets] == [0, 0, 0]


def test_who_may_write_may_lock(tmp_path):
    """With the permission to write, a file of the user's can be locked."""
    path = tmp_path / "file"
    path.write_text("")
    worker = Worker(answer, permissions=["write"])
    try:
        assert ask(worker, "refused", "lock a file", str(path)) == 0
    finally:
        worker.close()


def test_the_parent_is_not_restricted(worker, tmp_path):
    """The filter is the worker's: this process still starts programs, writes files and opens sockets."""
    ask(worker, "process")
    assert subprocess.run(["/bin/sh", "-c", "exit 3"]).returncode == 3
    (tmp_path / "file").write_text("x")
    socket.socket().close()


@pytest.mark.slow
def test_the_filter_is_there_in_a_process_that_never_asked_for_it():
    """The first worker of a process has its filter too, whose library is found before anything is refused."""
    if filter_problem() is not None:
        pytest.skip("there is no filter of system calls")
    program = """
        from symbiont_jit.isolate.worker import Worker
        worker = Worker(lambda _: open("/proc/self/status").read().partition("Seccomp:")[2].split()[0])
        print(worker.ask(None, 20.0).value)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
