"""What honest metrics do besides computing: it works, or the finding names the permission with which it works."""

import asyncio
import logging
import multiprocessing
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pytest

from symbiont_jit import Evolution, Kernel, Status, UsageError
from symbiont_jit.isolate.landlock import landlock_version
from symbiont_jit.isolate.sandbox import filter_problem

PARENT = os.getpid()
LINE = "double f(double x) { return x + 1; }"


helper = Kernel.from_c("double helper(double x) { return x * 2; }")


@pytest.fixture
def f():
    """A kernel of one number."""
    return Kernel.from_c("double f(double x) { return x * x; }")


def writes_a_temporary_file(kernel):
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("2.0")
        file.seek(0)
        return kernel(float(file.read()))


def logs_to_a_file(kernel):
    handler = logging.FileHandler(Path(tempfile.gettempdir()) / f"symbiont-{os.getpid()}.log")
    handler.close()
    os.unlink(handler.baseFilename)
    return kernel(2.0)


def saves_an_array(kernel):
    path = Path(tempfile.gettempdir()) / f"symbiont-{os.getpid()}.npy"
    np.save(path, np.ones(3))
    path.unlink()
    return kernel(2.0)


def maps_a_file(kernel):
    with tempfile.TemporaryFile() as file:
        np.memmap(file, np.float64, "w+", shape=4)[:] = 2.0
        return kernel(2.0)


def asks_sqlite(kernel):
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(f"{folder}/a.db") as base:
        base.execute("create table t (x real)")
        return kernel(2.0)


def starts_a_program(kernel):
    return kernel(float(subprocess.run(["/bin/echo", "2.0"], capture_output=True, check=True).stdout))


def forks_a_pool(kernel):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return kernel(pool.map(abs, [-2.0])[0])


def asks_an_executor(kernel):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        return kernel(float(pool.submit(abs, -2.0).result()))


def starts_a_process(kernel):
    process = multiprocessing.get_context("fork").Process(target=abs, args=(-2.0,))
    process.start()
    process.join()
    return kernel(2.0 + process.exitcode)


def asks_a_manager(kernel):
    with multiprocessing.get_context("fork").Manager() as manager:
        return kernel(manager.list([2.0])[0])


def shares_memory(kernel):
    block = shared_memory.SharedMemory(create=True, size=64)
    block.close()
    block.unlink()
    return kernel(2.0)


def talks_to_itself(kernel):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as here:
        here.sendall(b"2.0")
        return kernel(float(server.accept()[0].recv(9)))


def reads_a_file_of_the_parent(kernel):
    return kernel(float(len(Path(f"/proc/{PARENT}/environ").read_bytes()) > 0))


async def wait_for(kernel):
    await asyncio.sleep(0)
    return kernel(2.0)


def runs_a_loop(kernel):
    return asyncio.run(wait_for(kernel))


def runs_threads(kernel):
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(kernel, [1.0, 2.0]))


def asks_a_base_in_memory(kernel):
    with sqlite3.connect(":memory:") as base:
        return kernel(base.execute("select 2.0").fetchone()[0])


def calls_another_kernel(kernel):
    return kernel(helper(2.0))


#: What needs permissions, and which.
NEEDING = {
    writes_a_temporary_file: {"write"},
    logs_to_a_file: {"write"},
    saves_an_array: {"write"},
    maps_a_file: {"write"},
    asks_sqlite: {"write"},
    starts_a_program: {"processes"},
    forks_a_pool: {"processes", "write"},
    asks_an_executor: {"processes", "write"},
    starts_a_process: {"processes"},
    asks_a_manager: {"network", "processes", "write"},
    shares_memory: {"write", "processes"},
    talks_to_itself: {"network"},
}
FREE = [runs_a_loop, runs_threads, asks_a_base_in_memory, calls_another_kernel]


def evaluate(f, metric, permissions=()):
    """The evaluation of a candidate by a metric that does something in workers only."""
    in_worker = lambda kernel: kernel(2.0) if os.getpid() == PARENT else metric(kernel)  # noqa: E731
    with Evolution(f, metric=in_worker, permissions=permissions) as search:
        return search.evaluate(LINE)


@pytest.mark.table
@pytest.mark.parametrize("metric", NEEDING, ids=lambda metric: metric.__name__)
def test_a_refusal_names_the_permission(f, metric):
    """A metric that may not do something gives a finding that names the sandbox and what would allow it."""
    if filter_problem() is not None:
        pytest.skip("there is no filter of system calls")
    evaluation = evaluate(f, metric)
    assert evaluation.status is Status.WRONG
    (finding,) = [found.message for found in evaluation.diagnostics if found.rule == "sandbox"]
    assert finding.startswith("the sandbox of workers ")
    assert any(repr(name) in finding for name in NEEDING[metric]), finding


@pytest.mark.slow
@pytest.mark.parametrize("given", [(), ("processes",), ("network",)])
@pytest.mark.parametrize("metric", [forks_a_pool, asks_an_executor, shares_memory], ids=lambda metric: metric.__name__)
def test_what_asks_without_a_word_is_told_of_whole(f, metric, given):
    """Locks and shared memory of `multiprocessing` need two permissions, which the finding names at once, beside those that there are."""
    if filter_problem() is not None:
        pytest.skip("there is no filter of system calls")
    evaluation = evaluate(f, metric, given)
    (finding,) = [found.message for found in evaluation.diagnostics if found.rule == "sandbox"]
    assert f"permissions={sorted({'processes', 'write', *given})} allows it" in finding


@pytest.mark.slow
def test_a_manager_that_ends_names_what_it_lacks(f):
    """A process that was to answer ends without the network, and the finding says what to add."""
    if filter_problem() is not None:
        pytest.skip("there is no filter of system calls")
    evaluation = evaluate(f, asks_a_manager, ("processes", "write"))
    (finding,) = [found.message for found in evaluation.diagnostics if found.rule == "sandbox"]
    assert "permissions=['network', 'processes', 'write'] allows it" in finding


SILENT = {
    "a file in memory": (lambda: os.memfd_create("x"), "refuses memfd_create; permissions=['write'] allows it"),
    "a terminal": (lambda: os.openpty(), "refuses openpty; permissions=['write'] allows it"),
    "datagrams": (lambda: socket.socketpair(type=socket.SOCK_DGRAM), "socketpair; permissions=['network'] allows it"),
    "a process": (lambda: os.pidfd_open(PARENT), "refuses pidfd_open; permissions=['processes'] allows it"),
    "a folder": (lambda: os.listdir("/var/lib"), "permissions=['read'] allows it"),
    "a priority": (lambda: os.nice(1), "refuses nice, and no permission allows it"),
    "a processor": (lambda: os.sched_setaffinity(0, {0}), "refuses sched_setaffinity, and no permission allows it"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("act", "said"), SILENT.values(), ids=SILENT)
def test_what_python_does_not_announce_is_named_as_well(f, act, said):
    """The finding has the function, and the permission that it needs or that there is none."""
    if filter_problem() is not None or landlock_version() == 0:
        pytest.skip("there is no filter of system calls")
    evaluation = evaluate(f, lambda kernel: act() and kernel(2.0))
    (finding,) = [found.message for found in evaluation.diagnostics if found.rule == "sandbox"]
    assert finding.endswith(said)


READS_HOME = """
import os
from symbiont_jit import Evolution, Kernel

def metric(kernel):
    if os.getpid() == parent:
        return kernel(2.0)
    with open("/var/lib/dpkg/status" if os.path.exists("/var/lib/dpkg/status") else "/var/cache") as file:
        return kernel(float(len(file.read())))

parent = os.getpid()
f = Kernel.from_c("double f(double x) { return x * x; }")
print(Evolution(f, metric=metric).evaluate("double f(double x) { return x + 1; }").diagnostics[-1].message)
"""


@pytest.mark.slow
def test_a_refused_read_names_the_permission_also_where_python_reads_the_source(tmp_path):
    """Printing a traceback opens the files of its lines, which is not what the metric tried."""
    if landlock_version() == 0:
        pytest.skip("this Linux has no Landlock")
    script = tmp_path / "script.py"
    script.write_text(READS_HOME)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert "permissions=['read'] allows it" in done.stdout, done.stdout + done.stderr


def test_a_program_that_a_metric_starts_reads_of_itself(f):
    """With the permission to start processes, what is started may read what the system says of it."""
    read = lambda kernel: kernel(float("Pid:" in subprocess.check_output(["cat", "/proc/self/status"], text=True)))  # noqa: E731
    assert evaluate(f, read, ["processes"]).is_valid


@pytest.mark.parametrize("file", ["environ", "mem"])
def test_processes_do_not_open_the_parent(f, file):
    """Who may start processes can read neither the environment nor the memory of its parent, nor can what it starts."""
    if landlock_version() == 0:
        pytest.skip("this Linux has no Landlock")
    command = ["head", "-c", "1", f"/proc/{PARENT}/{file}"]
    read = lambda kernel: kernel(float(subprocess.run(command, capture_output=True).returncode != 0))  # noqa: E731
    assert evaluate(f, read, ["processes"]).score == 2.0


@pytest.mark.slow
def test_what_was_open_before_is_said_not_to_be(f, tmp_path):
    """A log or a connection that the program has opened before the search is not the worker's, and the finding says so."""
    ours, theirs = socket.socketpair()
    with (tmp_path / "log").open("w", buffering=1) as log, ours, theirs:
        for use in (lambda: log.write("line\n"), lambda: ours.send(b"x")):
            evaluation = evaluate(f, lambda kernel, use=use: use() and kernel(2.0))
            (finding,) = [found.message for found in evaluation.diagnostics if found.rule == "sandbox"]
            assert "opened before is not open in its workers" in finding
            assert "permissions=['network', 'write']" in finding


@pytest.mark.table
@pytest.mark.parametrize("metric", NEEDING, ids=lambda metric: metric.__name__)
def test_what_is_permitted_works(f, metric):
    """With its permissions the metric gives its number."""
    evaluation = evaluate(f, metric, NEEDING[metric])
    assert evaluation.is_valid, evaluation


@pytest.mark.parametrize("metric", FREE, ids=lambda metric: metric.__name__)
def test_what_reaches_nobody_works(f, metric):
    """Event loops, threads, data bases in memory and other kernels need no permission."""
    assert evaluate(f, metric).is_valid


def test_a_workers_parent_cannot_be_read(f):
    """Neither the environment nor the memory of the parent is open to a worker."""
    if filter_problem() is not None:
        pytest.skip("there is no filter of system calls")
    evaluation = evaluate(f, reads_a_file_of_the_parent)
    assert evaluation.status is Status.WRONG
    assert "'read'" in evaluation.diagnostics[-1].message


def test_an_unknown_permission_is_named(f):
    """The error lists what there is."""
    with pytest.raises(UsageError, match=r"permissions are among 'read', 'write', .*, not 'disk'"):
        Evolution(f, metric=helper, permissions=["disk"])
