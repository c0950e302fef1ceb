"""Child processes: bounded in time and size, whatever they do, and nobody else's."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from symbiont_jit.backend import child_process
from symbiont_jit.backend.child_process import ChildError, Deadline, spawn
from tests.concurrency import await_true, has_ended


@pytest.fixture
def start():
    """Start shell commands that end with the test."""
    started = []

    def start(command):
        started.append(spawn(("/bin/sh", "-c", command), "the child", "working"))
        return started[-1]

    yield start
    for child in started:
        child.end()


def test_output_and_messages_are_told_apart(start):
    """Both are read to their ends, and the exit code is the process's."""
    child = start("cat; echo said >&2; exit 3")
    child.write(b"given", Deadline(10.0))
    child.end_input()
    assert child.read_all(Deadline(10.0)) == 3
    assert (bytes(child.output), bytes(child.messages)) == (b"given", b"said\n")


@pytest.mark.parametrize(
    "command", ["sleep 1000", "exec >&-; sleep 1000", "exec 2>&-; sleep 1000", "exec >&- 2>&-; sleep 1000"]
)
def test_nothing_outlasts_its_deadline(start, command):
    """A process that lives on is too slow, whichever of its pipes it has closed."""
    with pytest.raises(ChildError, match=r"working took longer than 0\.2 seconds"):
        start(command).read_all(Deadline(0.2))


@pytest.mark.parametrize(("where", "limit"), [("", child_process.MAX_OUTPUT), (" >&2", child_process.MAX_MESSAGES)])
def test_nobody_writes_without_end(start, where, limit):
    """Output and messages have a limit of bytes, and no more than that is kept."""
    child = start(f"exec yes{where}")
    with pytest.raises(ChildError, match=f"the child wrote more than {limit >> 10} KiB"):
        child.read_all(Deadline(60.0))
    assert len(child.output) + len(child.messages) <= limit + (1 << 17)


STOPPED = """
import os, sys
from symbiont_jit.backend.child_process import Deadline, spawn
child = spawn(("/bin/sh", "-c", "read line; echo done"), "the child", "working")
print("ready", flush=True)
deadline = Deadline(1.5)
os.write(child.pipes[0].number, b"\\n")
os.kill(os.getpid(), 19)  # SIGSTOP
print(child.read_all(deadline), bytes(child.output), flush=True)
"""


@pytest.mark.slow
def test_the_time_in_which_this_process_is_stopped_does_not_count():
    """Ctrl-Z, a pause and `fg`, or a stop in a debugger, are nobody's fault."""
    program = subprocess.Popen([sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "ready\n"
    assert await_true(lambda: Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    time.sleep(2.0)
    program.send_signal(signal.SIGCONT)
    assert program.communicate(timeout=60)[0] == "0 b'done\\n'\n"


def test_an_old_system_can_wait_too(start, monkeypatch):
    """Where the kernel gives no descriptor of a process, its end is seen, and a deadline holds."""

    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert start("exit 3").read_all(Deadline(20.0)) == 3
    with pytest.raises(ChildError, match="took longer"):
        start("exec >&- 2>&-; sleep 1000").read_all(Deadline(0.2))


def test_one_that_trickles_is_too_slow(start):
    """A process that always has a byte for its reader does not move the deadline."""
    with pytest.raises(ChildError, match="took longer"):
        start("while :; do echo x; done").read_all(Deadline(0.2))


def test_one_that_does_not_read_is_given_up(start):
    """More than a pipe holds, written to a process that does not read, is a limit of time."""
    with pytest.raises(ChildError, match=r"took longer than 0\.1 seconds"):
        start("sleep 1000").write(bytes(1 << 20), Deadline(0.1))


def test_one_that_died_is_told_of_by_its_end(start):
    """Writing to a process that has ended says nothing; its exit code does."""
    child = start("exit 7")
    assert await_true(lambda: not child.is_alive)
    child.write(bytes(1 << 20), Deadline(10.0))
    assert child.read_all(Deadline(10.0)) == 7


def test_the_end_of_a_process_is_that_of_its_own_children(start):
    """What a process has started does not go on without it."""
    child = start("sleep 1000 & echo $!; wait")
    while not child.output.endswith(b"\n"):
        child.read(Deadline(10.0))
    child.end()
    assert await_true(lambda: has_ended(int(child.output)))


def test_what_a_process_has_started_ends_with_it_by_itself_too(start):
    """A process that ends by itself leaves nothing behind that would go on for ever."""
    child = start("sleep 1000 <&- >&- 2>&- & echo $!")
    assert child.read_all(Deadline(10.0)) == 0
    assert await_true(lambda: has_ended(int(child.output)))


def test_ending_twice_is_ending_once(start):
    """The second end finds nothing to do."""
    child = start("cat")
    child.end()
    child.end()
    assert child.returncode == -signal.SIGKILL


def test_no_process_has_a_pipe_of_another(start):
    """A process that is started afterwards has three descriptors, also where one of ours may be inherited."""
    start("cat")
    with open(os.devnull) as file:
        os.set_inheritable(file.fileno(), True)
        later = start("exec sleep 60")
        # The system closes the others a moment after the program has begun.
        assert await_true(lambda: sorted(os.listdir(f"/proc/{later.pid}/fd")) == ["0", "1", "2"])


def test_no_forked_child_keeps_a_pipe(start):
    """A process sees the end of its input though a child of a fork lives on."""
    child = start("cat >&2; echo end")
    hold, release = os.pipe()
    forked = os.fork()
    if forked == 0:
        os.close(release)
        os.read(hold, 1)
        os._exit(0)
    child.end_input()
    assert child.read_all(Deadline(10.0)) == 0
    assert child.output == b"end\n"
    os.close(release)
    os.close(hold)
    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0


def test_a_forked_child_neither_waits_for_a_process_nor_kills_it(start):
    """To the child of a fork the process counts as ended, and the parent goes on with it."""
    child = start("cat")
    forked = os.fork()
    if forked == 0:
        try:
            assert not child.is_alive
            child.end()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
    child.write(b"still here", Deadline(10.0))
    child.end_input()
    assert child.read_all(Deadline(10.0)) == 0
    assert child.output == b"still here"


def test_no_process_works_on_after_this_one():
    """A compilation under way is killed with the end of the interpreter, also from a thread that nobody waits for."""
    code = """
        import threading
        from symbiont_jit.backend.child_process import Deadline, spawn
        child = spawn(("/bin/sh", "-c", "exec 2>&- >&-; while :; do :; done"), "the child", "working")
        print(child.pid)
        threading.Thread(target=child.wait, args=(Deadline(60.0),), daemon=True).start()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert await_true(lambda: has_ended(int(done.stdout)))
