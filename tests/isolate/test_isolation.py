"""What a worker keeps from the code that runs in it, and what is left of a worker when it, or its parent, ends."""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
import termios
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from symbiont_jit import Evolution, Speedup, Status
from symbiont_jit.isolate import sandbox
from symbiont_jit.isolate.child import enter_phase
from symbiont_jit.isolate.landlock import landlock_version
from symbiont_jit.isolate.sandbox import filter_problem
from symbiont_jit.isolate.worker import MAX_LAST_WORDS, Crash, Overdue, Worker, WorkerReply
from tests.kernels import DOT, DOT_HEAD

ROOT = Path(__file__).parents[2]
SECRETS = ("OPENAI_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "GOOGLE_CREDENTIALS", "my_token")
HEAD = DOT_HEAD + " {"


@pytest.fixture
def worker():
    """A worker that calls what it is asked: requests are functions of this module, by name, with arguments."""
    made = Worker(lambda request: globals()[request[0]](*request[1:]))
    yield made
    made.close()


def ask(worker, name, *arguments, deadline=10.0):
    """The value of an answer."""
    answer = worker.ask((name, *arguments), deadline)
    assert isinstance(answer, WorkerReply), answer
    return answer.value


def is_alive(pid):
    """Whether there is such a process that is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition, seconds=5.0):
    """Wait for something that happens soon; whether it did."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


# -- requests: these run in the worker --------------------------------------------------------------------------------


def secrets():
    found = [n for n in os.environ if n in SECRETS]
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    return found + [n for n in SECRETS if libc.getenv(n.encode()) is not None]


def environment(name):
    return os.environ.get(name)


def standard_input():
    return os.read(0, 100), os.isatty(0), os.readlink("/proc/self/fd/0")


def speak_and(words, what, phase):
    enter_phase(phase)
    os.write(1, words.encode())
    if what == "crash":
        ctypes.string_at(0)
    if what == "exit":
        os._exit(5)
    if what == "hang":
        time.sleep(60)
    return words


def output_size():
    return os.fstat(1).st_size


def process():
    return os.getpid()


def take_memory(size):
    try:
        return np.empty(size, np.uint8).nbytes
    except MemoryError:
        return "no memory"


def limits():
    return {n: resource.getrlimit(getattr(resource, n)) for n in ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU")}


def spin():
    while True:
        pass


def handlers():
    return int(signal.getsignal(signal.SIGINT))


def run_thread():
    done = []
    threads = [threading.Thread(target=done.append, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(done)


def read_file(path):
    return Path(path).read_text()


def own_signal():
    received = []
    signal.signal(signal.SIGUSR1, lambda number, frame: received.append(number))
    signal.raise_signal(signal.SIGUSR1)
    return received


def refused(name, path):
    """The errno of something that reaches outside; 0 where it was possible."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(function, *arguments):
        ctypes.set_errno(0)
        if getattr(libc, function)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), function)

    tries = {
        "fork": lambda: os.fork() or os._exit(0),
        "vfork": lambda: subprocess.Popen(["/bin/true"]),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "socket": lambda: socket.socket().close(),
        "unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "a pair of datagram sockets": lambda: socket.socketpair(type=socket.SOCK_DGRAM),
        "connect": lambda: call("connect", 0, None, 0),
        "write": lambda: os.open(path, os.O_WRONLY),
        "append": lambda: os.open(path, os.O_RDWR | os.O_APPEND),
        "create": lambda: os.open(path + ".new", os.O_RDONLY | os.O_CREAT),
        "unnamed file": lambda: os.open(os.path.dirname(path), os.O_TMPFILE | os.O_RDWR),
        "unlink": lambda: os.unlink(path),
        "rename": lambda: os.rename(path, path + ".old"),
        "truncate": lambda: os.truncate(path, 0),
        "chmod": lambda: os.chmod(path, 0o777),
        "link": lambda: os.link(path, path + ".link"),
        "symlink": lambda: os.symlink(path, path + ".link"),
        "mkdir": lambda: os.mkdir(path + ".d"),
        "mkfifo": lambda: os.mkfifo(path + ".fifo"),
        "kill the parent": lambda: os.kill(os.getppid(), 0),
        "kill itself": lambda: os.kill(os.getpid(), 0),
        "kill the group": lambda: os.killpg(0, 0),
        "kill a thread of the parent": lambda: call("tgkill", os.getppid(), os.getppid(), 0),
        "pidfd": lambda: os.pidfd_open(os.getppid()),
        "ptrace": lambda: call("ptrace", 16, os.getppid(), None, None),
        "read the parent's memory": lambda: call("process_vm_readv", os.getppid(), None, 0, None, 0, 0),
        "write the parent's memory": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR),
        "read the parent's environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "open the parent's memory": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY),
        "read another's file": lambda: os.open("/var/lib", os.O_RDONLY),
        "fchmodat2": lambda: call("syscall", 452, -100, path.encode(), 0o777, 0),
        "own the signals of a file": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()),
        "choose the signal of a file": lambda: fcntl.fcntl(0, fcntl.F_SETSIG, 9),
        "lease a file": lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK),
        "watch a folder": lambda: fcntl.fcntl(os.open(os.path.dirname(path), os.O_RDONLY), 1026, 0),
        "own the signals of a socket": lambda: fcntl.ioctl(
            socket.socketpair()[0], 0x8901, os.getppid().to_bytes(4, "little")
        ),
        "own the group of a socket": lambda: fcntl.ioctl(
            socket.socketpair()[0], 0x8902, os.getppid().to_bytes(4, "little")
        ),
        "the attributes of a file": lambda: fcntl.ioctl(
            os.open(path, os.O_RDONLY), 0x40086602, (0x40).to_bytes(8, "little")
        ),
        "files in memory": lambda: os.memfd_create("hoard"),
        "outlive the parent": lambda: call("prctl", 1, 0, 0, 0, 0),
        "type into a terminal": lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"),
        "type with more bits": lambda: call("ioctl", 0, ctypes.c_ulong(1 << 32 | termios.TIOCSTI), b"x"),
        "schedule the parent": lambda: os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0)),
        "the parent's priority": lambda: call("syscall", 251, 1, os.getppid(), 3 << 13),
        "shared memory of System V": lambda: call("shmctl", 0, 0, None),
        "mount": lambda: call("mount", None, b"/", None, 0, None),
        "unshare": lambda: call("unshare", 0),
        "setuid": lambda: os.setuid(os.getuid()),
    }
    try:
        tries[name]()
    except OSError as error:
        return error.errno
    return 0


REFUSED = (
    "fork", "vfork", "exec", "spawn", "socket", "unix socket", "a pair of datagram sockets", "connect", "write", "append", "create",
    "unnamed file", "unlink", "rename", "truncate", "chmod", "link", "symlink", "mkdir", "mkfifo", "kill the parent",
    "kill itself", "kill the group", "kill a thread of the parent", "pidfd", "ptrace", "read the parent's memory",
    "write the parent's memory", "mount", "unshare", "setuid", "fchmodat2", "own the signals of a file",
    "choose the signal of a file", "type into a terminal", "type with more bits", "schedule the parent",
    "the parent's priority", "shared memory of System V", "lease a file", "watch a folder", "own the signals of a socket",
    "own the group of a socket", "the attributes of a file", "files in memory", "outlive the parent",
)  # fmt: skip


# -- what it has ------------------------------------------------------------------------------------------------------


def test_no_secrets(worker, monkeypatch):
    """Variables that are named like secrets are not in the worker's environment, also not for C; the others are."""
    for name in SECRETS:
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("SYMBIONT_TEST_PLAIN", "kept")
    assert ask(worker, "secrets") == []
    assert ask(worker, "environment", "SYMBIONT_TEST_PLAIN") == "kept"
    assert os.environ["OPENAI_API_KEY"] == "canary"


def test_no_secrets_for_a_metric(dot, monkeypatch):
    """A metric that looks for secrets in a worker finds none."""
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    parent = os.getpid()

    def metric(kernel):
        return float(os.getpid() == parent or len(secrets()))

    with Evolution(dot, metric=metric) as search:
        assert search.evaluate(DOT).scores == {"score": 0.0}


def test_no_input(worker):
    """Standard input is at its end and is no terminal."""
    assert ask(worker, "standard_input") == ["", False, "/dev/null"]


def test_output_is_captured(worker, capfd):
    """What a worker writes is not on the parent's terminal, and is forgotten once it has answered."""
    assert ask(worker, "speak_and", "words", "", "") == "words"
    assert ask(worker, "output_size") == 0
    assert capfd.readouterr() == ("", "")


def test_interrupts_are_not_for_workers(worker):
    """Ctrl-C goes to all processes of a terminal; the parent decides what comes of it."""
    assert ask(worker, "handlers") == signal.SIG_IGN


# -- how it ends ------------------------------------------------------------------------------------------------------


def test_a_crash_tells_signal_phase_and_last_words(worker):
    """A worker that is killed by its code says by what, at what, and the end of what it wrote."""
    crash = worker.ask(("speak_and", "x" * 1000 + "\nlast words", "crash", "testing"), 10.0)
    assert isinstance(crash, Crash)
    assert crash.phase == "testing"
    assert crash.reason.startswith("signal SIGSEGV (x")
    assert crash.reason.endswith("x last words)")
    assert len(crash.reason) < MAX_LAST_WORDS + 30


def test_an_exit_tells_its_code(worker):
    """A worker that ends by itself says with which code; without words there are no brackets."""
    assert worker.ask(("speak_and", "", "exit", "leaving"), 10.0) == Crash("exit code 5", "leaving")


def test_an_overdue_worker_tells_its_phase(worker):
    """A worker that does not answer is killed at its deadline."""
    overdue = worker.ask(("speak_and", "", "hang", "waiting"), 0.3)
    assert isinstance(overdue, Overdue)
    assert overdue.phase == "waiting"
    assert overdue.seconds > 0


@pytest.mark.slow
def test_the_next_request_after_an_end(worker):
    """After a crash, an exit and a time-out the next request is answered, by a new process, and nothing is left over."""
    seen = [ask(worker, "process")]
    assert ask(worker, "process") == seen[0]
    for what in ("crash", "exit", "hang"):
        assert not isinstance(worker.ask(("speak_and", "old words", what, "old phase"), 0.5), WorkerReply)
        assert not is_alive(seen[-1])
        seen.append(ask(worker, "process"))
        assert ask(worker, "output_size") == 0
    assert len(set(seen)) == 4
    assert worker.ask(("speak_and", "", "exit", ""), 10.0) == Crash("exit code 5", "")


def test_a_worker_that_was_killed_by_somebody(worker):
    """A worker that died between two requests is replaced without a word."""
    pid = ask(worker, "process")
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_alive(pid))
    assert ask(worker, "process") != pid


def test_closing_ends_the_process(worker):
    """A closed worker has no process; asked again, it has."""
    pid = ask(worker, "process")
    worker.close()
    assert not is_alive(pid)
    assert is_alive(ask(worker, "process"))


def test_a_stopped_worker_starts_nothing(worker):
    """Who asks while a worker is stopped is told of a crash, though there was no process to kill; closing ends that."""
    worker.stop()
    assert worker.ask(("process",), 10.0).reason == "signal SIGKILL"
    worker.close()
    assert is_alive(ask(worker, "process"))


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


def run_python(text, *arguments):
    """A Python process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(text), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


SPINNING = """
import sys, threading, time
from symbiont_jit.isolate.child import enter_phase
from symbiont_jit.isolate.worker import Worker

def serve(request):
    enter_phase("spinning")
    while True:
        pass

worker = Worker(serve)
threading.Thread(target=worker.ask, args=(None, float(sys.argv[1]))).start()
while not worker._phase[:].startswith(b"spinning"):
    time.sleep(0.01)
print(worker._child.process.pid, flush=True)
"""


@pytest.mark.slow
def test_a_stopped_parent():
    """A worker of a parent that was stopped and cannot kill it ends by itself, at its limit of processor time."""
    parent = run_python(SPINNING, "0.5")
    try:
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGSTOP)
        assert eventually(lambda: not is_alive(pid), 60.0)
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.slow
def test_a_killed_parent():
    """A worker in the middle of a candidate does not outlive a parent that was killed."""
    parent = run_python(SPINNING, "600")
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    parent.communicate()
    assert eventually(lambda: not is_alive(pid))


SEARCH = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may have been inherited as ignored, as under nohup
import numpy as np
from numba import float64
from symbiont_jit import Array, Evolution, Mutator, Status, evolvable
from tests.kernels import DOT

@evolvable(source=DOT)
def dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64:
    return 0.0

parent = os.getpid()

def metric(kernel):
    if os.getpid() != parent:
        time.sleep(0.05)
    return kernel(np.ones(3), np.ones(3))

def progress(done):
    workers = [w._child.process.pid for w in search._evaluator._workers if w._child.process is not None]
    os.write(1, " ".join(map(str, [done.evaluated, *workers, "\\n"])).encode())  # Ctrl-C does not cut a line in two

search = Evolution(dot, metric=metric, proposer=Mutator(), workers=2, deadline=30.0)
result = search.run(seconds=600, on_progress=progress)
counted = result.counts.get(Status.VALID, 0)
print("result", result.evaluated, result.best is not None, counted, dot.active.number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run(sent):
    """Ctrl-C or SIGTERM to all processes of the group ends a run soon; the result has what was evaluated, and only that.

    None of it is a candidate whose compiler or worker was ended, which would not be valid.
    """
    running = run_python(SEARCH)
    try:
        lines = [running.stdout.readline().split() for _ in range(3)]
        assert [line[0] for line in lines] == ["1", "2", "3"]
        os.killpg(running.pid, sent)
        output, errors = running.communicate(timeout=20)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0, errors
    *more, last = output.splitlines()
    word, evaluated, has_best, counted, active = last.split()
    told = int(more[-1].split()[0]) if more else 3
    assert (word, has_best, evaluated) == ("result", "True", counted)
    assert told <= int(evaluated) <= told + 4  # as many are under way
    assert int(active) >= 0
    assert not any(is_alive(int(pid)) for pid in lines[-1][1:])


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


@pytest.mark.parametrize("name", ["read the parent's environment", "open the parent's memory", "read another's file"])
def test_what_landlock_closes(worker, tmp_path, name):
    """What Python does not read from is closed, and so is all that other processes are made of."""
    if not landlock_version():
        pytest.skip("this Linux has no Landlock")
    assert errno.errorcode.get(ask(worker, "refused", name, str(tmp_path))) == "EACCES"


@pytest.fixture
def opened(tmp_path):
    """What a parent may have open: a file at a position, both ends of a pipe, and a socket."""
    path = tmp_path / "file"
    path.write_text("0123456789")
    file = os.open(path, os.O_RDWR)
    os.lseek(file, 4, os.SEEK_SET)
    reader, writer = os.pipe()
    here, there = socket.socketpair()
    yield {"file": file, "reader": reader, "writer": writer, "socket": there.fileno(), "other end": here}
    for descriptor in (file, reader, writer):
        os.close(descriptor)
    here.close()
    there.close()


def reach(descriptors):
    """What a worker gets of its parent's file, and from writing to all descriptors."""
    found = os.read(descriptors["file"], 2).decode()
    outcomes = {}
    for name, descriptor in descriptors.items():
        try:
            outcomes[name] = os.write(descriptor, b"overwritten")
        except OSError as error:
            outcomes[name] = errno.errorcode[error.errno]
    return found, outcomes


def test_nothing_that_is_open_can_be_written(opened):
    """A forked worker reads on in a file of the parent's, which moves nothing there, and writes to nothing."""
    other_end = opened.pop("other end")
    other_end.setblocking(False)
    worker = Worker(reach)
    try:
        found, outcomes = worker.ask(opened, 10.0).value
    finally:
        worker.close()
    assert found == "45"
    assert outcomes == dict.fromkeys(opened, "EBADF")
    assert os.lseek(opened["file"], 0, os.SEEK_CUR) == 4
    assert os.pread(opened["file"], 20, 0) == b"0123456789"
    with pytest.raises(BlockingIOError):
        other_end.recv(1)


def test_what_the_filter_lets_pass(worker):
    """Threads, reading files and signals to oneself work; a pool of Numba or BLAS needs the first."""
    assert ask(worker, "run_thread") == [0, 1, 2, 3]
    assert ask(worker, "read_file", __file__) == Path(__file__).read_text()
    assert ask(worker, "own_signal") == [signal.SIGUSR1]


def test_the_parent_is_not_restricted(worker, tmp_path):
    """The filter is the worker's: this process still starts programs, writes files and opens sockets."""
    ask(worker, "process")
    assert subprocess.run(["/bin/sh", "-c", "exit 3"]).returncode == 3
    (tmp_path / "file").write_text("x")
    socket.socket().close()


# -- determinism ------------------------------------------------------------------------------------------------------

DETERMINED = {
    "index": HEAD + " return x[n]; }",
    "pointer": HEAD + " const double *p = x; double s = 0; for (int64_t i = 0; i <= n; i++) s += *p++; return s; }",
    "overflow": HEAD + " int64_t k = INT64_MAX; return k + n; }",
    "division": HEAD + " return n / (n - n); }",
    "recursion": "static double f(int64_t k) { volatile double t = k; return f(k + 1) + t; }\n" + HEAD + " return f(n); }",
    "endless": HEAD + " volatile int k = 1; while (k) k = 2; return 0; }",
    "wrong": HEAD + " double s = 0; for (int64_t i = 0; i < n; i++) s += x[i]; return s; }",
    "untouched": HEAD + " return x[0]; }",
    "untraceable": HEAD + " return *(const double *)(uintptr_t)4096; }",
    "compiler": HEAD + " return z; }",
    "valid": DOT,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", DETERMINED)
def test_the_same_candidate_is_judged_the_same(dot, name):
    """The same text on the same inputs has the same status, finding and panic in five workers."""
    found = set()
    for _ in range(5):
        with Evolution(dot, metric=Speedup(lambda rng: (rng.random(20), rng.random(20))), deadline=3.0) as search:
            evaluation = search.evaluate(DETERMINED[name])
        panic = evaluation.panic and (evaluation.panic.kind, evaluation.panic.message, str(evaluation.panic))
        findings = [(d.rule, d.message, d.line, d.column) for d in evaluation.diagnostics]
        found.add((evaluation.status, panic, *findings))
    assert len(found) == 1
    assert (name == "valid") is (next(iter(found))[0] is Status.VALID)


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


UNCLOSED = """
from numba import float64 as f64, njit
import numpy as np
import symbiont_jit as sj

@sj.evolvable(source="double f(double x) { return x * x; }")
def f(x: f64) -> f64: ...

@njit
def total(kernel, x):
    return kernel(x[0]) + kernel(x[1])

search = sj.Evolution(f, metric=lambda kernel: total(kernel, np.arange(2.0)))
print(search.evaluate("double f(double x) { return x + 1; }").status.name)
"""


@pytest.mark.slow
def test_a_script_that_closes_nothing_ends_quietly():
    """Its workers end with it, though they do not hear the signal by which Python asks children to end."""
    done = subprocess.run([sys.executable, "-c", UNCLOSED], capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "VALID\n", "")
