"""Workers that are fresh interpreters: what reaches them, what does not, and that they are otherwise like forked ones."""

import ctypes
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64, njit

from symbiont_jit import Array, Evolution, Group, Kernel, Speedup, Status, UsageError, evolvable
from symbiont_jit.isolate import child
from symbiont_jit.isolate.sandbox import filter_problem
from symbiont_jit.isolate.start import STARTS
from symbiont_jit.isolate.worker import Crash, Overdue, Worker
from tests.child import in_child
from tests.concurrency import await_true, has_ended
from tests.isolate.served import ROOT, SECRETS, answer, ask, older_thread, run_python
from tests.kernels import DOT, DOT_OPEN


@evolvable
def later(x: f64) -> f64: ...


@evolvable
def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * y[i]
    return s


group = Group()


@group.evolvable
def up(x: int64) -> int64:
    return x + 1


@group.evolvable
def down(x: int64) -> int64:
    return x - 1


def inputs(rng):
    return rng.random(50), rng.random(50)


def numbers(rng):
    return (rng.random(),)


def value(kernel):
    return kernel(np.ones(3), np.ones(3))


@njit
def through_the_name(x):
    return dot(x, x)


def value_by_name(kernel):
    return through_the_name(np.ones(3))


def of_members(kernel):
    return kernel["up"](5) * 100 + kernel["down"](5)


def lawless(kernel):
    """Whatever the candidate's result says."""
    what = kernel(np.ones(2), np.ones(2))
    if what == 11.0:
        ctypes.string_at(0)
    while what == 12.0:
        time.sleep(1)
    return what


class WithThread:
    """Serves requests; where it is unpickled, a thread is started at once."""

    def __call__(self, request):
        """What is asked."""
        return answer(request)

    def __reduce__(self):
        return _with_thread, ()


def _with_thread():
    threading.Thread(target=older_thread, daemon=True).start()
    return WithThread()


@pytest.fixture
def worker(monkeypatch):
    """A fresh interpreter that calls what it is asked."""
    for name in SECRETS:
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("SYMBIONT_TEST_PLAIN", "kept")
    made = Worker(WithThread(), STARTS["spawn"])
    yield made
    made.close()


@pytest.mark.slow
def test_a_fresh_worker_is_kept_apart(worker, tmp_path):
    """No secret is in its environment nor ever was; no terminal, no interrupts; system calls are filtered in all threads."""
    assert ask(worker, "about_the_environment") == [[], [], 0, "kept"]
    assert ask(worker, "about_itself") == ["", "/dev/null", signal.SIG_IGN, True]
    if filter_problem() is None:
        path = tmp_path / "file"
        path.write_text("x")
        for name in ("fork", "socket", "write", "kill the parent", "ptrace"):
            assert ask(worker, "refused", name, str(path)) == 1
        assert ask(worker, "in_an_older_thread", str(path)) == [1]
    assert os.environ["OPENAI_API_KEY"] == "canary"


@pytest.mark.slow
def test_a_fresh_worker_ends_like_a_forked_one(worker):
    """A crash has its signal and last words, what does not answer is killed; the next is another process, none is left."""
    first = ask(worker, "process")
    assert worker.ask(("die",), 10.0) == Crash("signal SIGSEGV (last words)")
    second = ask(worker, "process")
    # The time that the next interpreter takes to start is not the request's.
    worker.close()
    assert isinstance(worker.ask(("sleep",), 0.05), Overdue)
    third = ask(worker, "process", deadline=0.5)
    assert len({first, second, third}) == 3
    os.kill(third, signal.SIGKILL)
    assert await_true(lambda: worker._child.process.exitcode == -signal.SIGKILL)
    last = ask(worker, "process")
    worker.close()
    assert all(map(has_ended, (first, second, third, last)))


def children_of(pid):
    """The processes that another one has started."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


CLOSED = """
import os, sys
for number in (0, 1, 2):
    os.close(number)
from symbiont_jit.isolate.start import STARTS
from symbiont_jit.isolate.worker import Crash, Worker
from tests.isolate.served import answer, ask

worker = Worker(answer, STARTS[sys.argv[2]])
found = [ask(worker, "speak_and", "words", "", "") for _ in range(2)]
found.append(worker.ask(("speak_and", "last words", "exit", ""), 10.0) == Crash("exit code 5 (last words)"))
found.append(ask(worker, "standard_input")[2])
open(sys.argv[1], "w").write(repr(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_program_without_standard_files(tmp_path, start):
    """Workers of a program that has closed its standard input, output and error answer, and say their last words."""
    run_python(CLOSED, str(tmp_path / "found"), start).communicate(timeout=60)
    assert (tmp_path / "found").read_text() == "['words', 'words', True, '/dev/null']"


FULL = """
import os, resource
from symbiont_jit import UsageError
from symbiont_jit.isolate.worker import Worker

worker = Worker(len)
assert worker.ask("abc", 10.0).value == 3
worker.close()
if os.getuid() == 0:
    os.setuid(65534)
most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
resource.setrlimit(resource.RLIMIT_NPROC, (1, most))
try:
    worker.ask("abc", 10.0)
except UsageError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
print(worker.ask("abcd", 10.0).value)
"""


@pytest.mark.slow
def test_a_system_that_starts_no_more_processes():
    """That is the caller's to know, in words; once there is room again the worker answers."""
    said, errors = run_python(FULL).communicate(timeout=60)
    assert errors == ""
    assert said.splitlines() == [
        "a worker cannot be started, because the system starts no more processes (Resource temporarily unavailable)",
        "4",
    ]


def test_a_worker_that_cannot_give_up_what_it_should(monkeypatch):
    """What goes wrong while a worker gets ready is the caller's to know, and no candidate's crash."""

    def fail(granted):
        raise OSError("no rules")

    monkeypatch.setattr(child, "restrict_files", fail)
    worker = Worker(answer)
    with pytest.raises(UsageError, match=r"(?s)a worker cannot get ready.*OSError: no rules"):
        worker.ask(("process",), 10.0)


def test_no_fresh_worker_starts_in_a_folder_that_was_removed(tmp_path):
    """That is said in words, because an interpreter could not start there."""

    def work():
        os.mkdir(tmp_path / "gone")
        os.chdir(tmp_path / "gone")
        os.rmdir(tmp_path / "gone")
        worker = Worker(WithThread(), STARTS["spawn"])
        with pytest.raises(UsageError) as refused:
            worker.ask(("process",), 10.0)
        return str(refused.value)

    assert in_child(work).endswith("in the working directory of this process, which was removed")


# -- searches ---------------------------------------------------------------------------------------------------------


def spawning(kernel, metric, **options):
    return Evolution(kernel, metric=metric, start_method="spawn", **options)


@pytest.mark.slow
def test_a_speed_up_in_fresh_workers():
    """Candidates are compared with the Python body that was declared, whatever is active here, and timed."""
    dot.swap(DOT.replace("return s", "return s + 1"))
    try:
        with spawning(dot, Speedup(inputs)) as search:
            wrong = search.evaluate(DOT.replace("return s", "return s + 1"))
            right = search.evaluate(DOT)
            pids = [w._child.process.pid for w in search._evaluator.local.pool.workers]
            assert not any(map(has_ended, pids))
            assert not any(map(children_of, pids))
    finally:
        dot.activate(0)
    assert (right.status, wrong.status) == (Status.VALID, Status.WRONG)
    assert right.score > 0
    assert right.timings.reference_ns
    assert all(map(has_ended, pids))


@pytest.mark.slow
def test_a_callable_metric_in_fresh_workers():
    """A metric sees the candidate in the kernel that it is given, and in the one that it knows by its name."""
    for metric in (value, value_by_name):
        with spawning(dot, metric) as search:
            assert search.evaluate(DOT_OPEN + " return n + 0.5; }").scores == {"score": 3.5}


@pytest.mark.slow
def test_a_group_in_fresh_workers():
    """A group is found by the name of a member, and its candidate is all functions of it."""
    with spawning(group, of_members) as search:
        text = "int64_t up(int64_t x) { return x + 2; } int64_t down(int64_t x) { return x - 2; }"
        assert search.evaluate(text).scores == {"score": 703.0}


@pytest.mark.slow
def test_a_kernel_that_no_module_has():
    """It is pickled with the C that it began with, which stays the reference."""
    made = Kernel(dot.signature, source=DOT)
    made.swap(DOT.replace("return s", "return s + 1"))
    with spawning(made, Speedup(inputs)) as search:
        assert search.evaluate(DOT.replace("s += x[i] * y[i]", "s += y[i] * x[i]")).status is Status.VALID


@pytest.mark.slow
def test_a_kernel_whose_reference_came_later():
    """A first revision that its module does not declare goes along, and stays the reference."""
    text = "double later(double x) {{ return {}; }}"
    later.swap(text.format("2 * x"))
    later.swap(text.format("3 * x"))
    with spawning(later, Speedup(numbers)) as search:
        assert [search.evaluate(text.format(t)).status for t in ("x + x", "4 * x")] == [Status.VALID, Status.WRONG]


@pytest.mark.slow
def test_a_module_that_was_edited(tmp_path, monkeypatch):
    """A worker whose module has another body than this process's refuses to judge by it."""
    path = tmp_path / "edited.py"
    text = "import symbiont_jit as sj\n\n\n@sj.evolvable\ndef f(x: float) -> float:\n    return x\n\n\ndef metric(k):\n    return 1.0\n"
    path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import edited

    path.write_text(text.replace("return x", "return x + 100"))
    with (
        spawning(edited.f, edited.metric) as search,
        pytest.raises(UsageError, match="'f' of edited has changed since this process imported it"),
    ):
        search.evaluate("double f(double x) { return x; }")


@pytest.mark.slow
def test_crashes_and_hangs_of_fresh_workers():
    """A crash is a status with signal and phase, a hang is one too, and the next candidate is judged."""
    with spawning(dot, lawless, deadline=1.0) as search:
        crashed, hung, fine = search.evaluate_many([DOT_OPEN + f" return {number}; }}" for number in (11, 12, 13)])
    assert crashed.status is Status.CRASHED
    assert (
        crashed.diagnostics[0].message == "the process ended with signal SIGSEGV while asking the metric, with checks"
    )
    assert hung.status is Status.TIMED_OUT
    assert (fine.status, fine.score) == (Status.VALID, 13.0)


# -- what cannot be sent ----------------------------------------------------------------------------------------------


class Locked:
    """A metric that holds what belongs to one process."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, kernel):
        """The same for all."""
        return 1.0


class Poison:
    """A metric that can be sent but not received."""

    def __call__(self, kernel):
        """The same for all."""
        return 1.0

    def __reduce__(self):
        return math.sqrt, (-1.0,)


class Leaving:
    """A metric whose unpickling ends the process."""

    def __call__(self, kernel):
        """The same for all."""
        return 1.0

    def __reduce__(self):
        return os._exit, (4,)


def with_a_body_that_cannot_be_sent():
    lock = multiprocessing.get_context("fork").Lock()

    @evolvable
    def held(x: f64) -> f64:
        return x if lock else 0.0

    held.swap("double held(double x) { return x; }")
    return held


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: spawning(dot, lambda kernel: 1.0), r"the metric cannot be pickled .*<lambda>.*top level of a module"),
        (lambda: spawning(dot, Speedup(lambda rng: inputs(rng))), r"the metric cannot be pickled .*<lambda>"),
        (lambda: spawning(dot, Locked()), r"the metric cannot be pickled .*lock.*start_method='fork'"),
        (lambda: spawning(with_a_body_that_cannot_be_sent(), id), r"the kernel cannot be pickled .*'held'"),
        (lambda: spawning(dot, Poison()), r"a worker cannot get ready(.|\n)*math domain error"),
        (lambda: spawning(dot, Leaving()), r"a worker cannot get ready: its process ended with exit code 4"),
        (lambda: Evolution(dot, metric=value, start_method="thread"), r"start_method is 'fork', 'spawn' or None"),
    ],
)
def test_what_cannot_be_sent_is_named(make, said):
    """The error says which part it is, why, and what to do."""
    with pytest.raises(UsageError, match=said), make() as search:
        search.evaluate(DOT if search.kernel is dot else search.kernel.source)


# -- scripts ----------------------------------------------------------------------------------------------------------

SCRIPT = """
import os, sys
import numpy as np
from numba import float64 as f64, njit, prange, threading_layer
import symbiont_jit as sj

@sj.evolvable(source="double dot(int64_t n, const double x[n], const double y[n]) { return 1.0; }")
def dot(x: sj.Array[f64, "n"], y: sj.Array[f64, "n"]) -> f64: ...

@njit(parallel=True)
def total(kernel, x):
    s = 0.0
    for i in prange(x.shape[0]):
        s += kernel(x[i:i + 1], x[i:i + 1])
    return s

def metric(kernel):
    found = total(kernel, np.ones(40))
    return -1.0 if [name for name in os.environ if "TOKEN" in name] else found

os.environ["LATE_TOKEN"] = "as a module that reads a file with secrets does"

def main():
    total(dot, np.ones(40))
    layer = threading_layer()
    with sj.Evolution(dot, metric=metric, start_method=os.environ.get("METHOD", "spawn"), deadline=5.0) as search:
        found = search.evaluate("double dot(int64_t n, const double x[n], const double y[n]) { return 2 * x[0]; }")
    print(layer, found.status.name, found.score, *(d.message for d in found.diagnostics))

"""


def run_script(tmp_path, text, *arguments, **environment):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_threads_that_a_fork_would_not_survive(tmp_path, layer):
    """A metric with a parallel=True function, which has run here, runs in fresh workers of a guarded script."""
    guarded = SCRIPT + "if __name__ == '__main__':\n    main()\n"
    done = run_script(tmp_path, guarded, NUMBA_THREADING_LAYER=layer)
    if "No threading layer could be loaded" in done.stderr:
        assert layer == "omp"
        pytest.skip("Numba has no OpenMP here")
    assert (done.stdout.strip(), done.returncode) == (f"{layer} VALID 80.0", 0), done.stderr


@pytest.mark.slow
def test_the_hint_where_threads_did_not_survive_a_fork(tmp_path):
    """In forked workers the same metric fails after OpenMP has run here, and the finding says what to do."""
    done = run_script(tmp_path, SCRIPT + "main()\n", NUMBA_THREADING_LAYER="omp", METHOD="fork")
    if "No threading layer could be loaded" not in done.stderr:
        assert done.stdout.startswith("omp CRASHED None")
        assert "forked processes cannot run: search with start_method='spawn'" in done.stdout


@pytest.mark.slow
def test_a_script_without_the_guard(tmp_path):
    """A worker that imports a script which starts a search says so, and starts none."""
    done = run_script(tmp_path, SCRIPT + "main()\n", NUMBA_THREADING_LAYER="workqueue")
    assert done.returncode == 1
    assert "start it under `if __name__ == '__main__':`" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_what_is_in_no_file_cannot_be_imported():
    """A metric of a notebook or of standard input is refused with the reason."""
    program = SCRIPT + "main()\n"
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert "'metric' is defined in __main__, which is no file that could be imported" in done.stderr


ORPHANS = """
import multiprocessing, os
from tests.isolate import served
from symbiont_jit.isolate.start import STARTS
from symbiont_jit.isolate.worker import Worker

def main():
    worker = Worker(served.answer, STARTS["spawn"])
    print(worker.ask(("process",), 10.0).value, flush=True)
    assert multiprocessing.get_start_method(allow_none=True) is None, "the user's choice is still open"
    if os.environ.get("SYMBIONT_TEST_HANG"):
        worker.ask(("sleep",), 600.0)

main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ends", "is killed"])
def test_no_fresh_worker_outlives_its_parent(how):
    """Neither the end of the parent nor its sudden death leaves a process behind, not even a busy one."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    if how == "is killed":
        environment["SYMBIONT_TEST_HANG"] = "1"
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANS], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    pid = int(parent.stdout.readline())
    if how == "is killed":
        assert not has_ended(pid)
        parent.kill()
    _, errors = parent.communicate(timeout=20)
    assert await_true(lambda: has_ended(pid))
    assert errors == ""
