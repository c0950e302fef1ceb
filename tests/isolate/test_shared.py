"""What a worker shares with its parent, with other workers and with others: nothing that it could write or break."""

import contextlib
import ctypes
import fcntl
import gc
import mmap
import os
import pickle
import socket
import tempfile
import time
from multiprocessing import connection, shared_memory
from pathlib import Path

import numpy as np
import pytest
from numba import float64 as f64

from symbiont_jit import Evolution, Status, evolvable
from symbiont_jit.isolate import child
from symbiont_jit.isolate.child import MAX_PHASE, PAUSES, stop_clock
from symbiont_jit.isolate.start import STARTS
from symbiont_jit.isolate.worker import Crash, Overdue, Worker, WorkerReply
from tests.isolate.served import framed

PARENT = os.getpid()


def in_child(attack):
    """A metric that does something in workers alone; its score is the kernel's value."""
    pid = os.getpid()

    def metric(kernel):
        if os.getpid() != pid:
            attack()
        return kernel(1.0)

    return metric


@evolvable(source="double f(double x) { return x; }")
def f(x: f64) -> f64: ...


def source(value):
    return f"double f(double x) {{ return {value}; }}"


def evaluate(attack, *sources, deadline=2.0, **options):
    """The evaluations of some texts, one after the other."""
    with Evolution(f, metric=in_child(attack), deadline=deadline, **options) as search:
        return [search.evaluate(text) for text in sources]


def shrink():
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if "worker phase" in os.readlink(f"/proc/self/fd/{name}"):
                os.ftruncate(int(name), 0)


def test_what_is_shared_keeps_its_size():
    """A worker that would make the file of its phase shorter does not end its parent by that."""
    assert [each.status for each in evaluate(shrink, source(2.0), source(3.0))] == [Status.VALID] * 2


def seal():
    """Forbid for good that what this process shares is written or made shorter, as far as that is possible."""
    os.write(1, b"words")
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(int(name), fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE)
    assert fcntl.fcntl(1, fcntl.F_GET_SEALS) == fcntl.F_SEAL_SEAL


def test_what_is_shared_cannot_be_sealed():
    """A worker that would seal its output is answered for as any other, and so is what comes after it."""
    assert [each.status for each in evaluate(seal, source(2.0), source(3.0))] == [Status.VALID] * 2


def test_an_output_that_somebody_closed_is_replaced():
    """Where the number of the output was given to a file of the user's, that file is left alone, and workers go on."""
    worker = Worker(lambda words: os.write(1, words))
    try:
        assert worker.ask(b"one", 10.0) == WorkerReply(3)
        number = worker._shared.descriptors.output
        with tempfile.TemporaryFile() as file:
            file.write(b"the user's")
            file.flush()
            os.dup2(file.fileno(), number)
            assert worker.ask(b"four", 10.0) == WorkerReply(4)
            assert worker._shared.descriptors.output != number
            assert os.pread(number, 20, 0) == b"the user's"
            os.close(number)
    finally:
        worker.close()


def stop_reading():
    connection.Connection.recv = lambda self: time.sleep(1000)


@pytest.mark.slow
def test_a_worker_that_does_not_read_costs_nobody_anything():
    """A request that no child reads, also one longer than the pipe, is given to another child at the deadline."""
    table = f"static const double t[200000] = {{1.0, [199999] = 2.0}}; {source('t[199999]')}"
    found = evaluate(stop_reading, source(2.0), table, source(3.0), deadline=1.0)
    assert [each.status for each in found] == [Status.VALID] * 3


def test_a_request_that_no_child_reads_is_overdue(monkeypatch):
    """Two children in a row that read nothing are enough; both ended at the deadline."""
    monkeypatch.setattr(connection.Connection, "recv", lambda self: time.sleep(60))
    worker = Worker(len, STARTS["fork"])
    try:
        outcome = worker.ask("abc", 0.3)
        assert isinstance(outcome, Overdue)
        assert outcome.was_unread
    finally:
        worker.close()


def test_what_a_child_says_of_itself_gives_it_no_second_deadline():
    """A child that has read its request and says that it has not is overdue once, like any other."""
    worker = Worker(_hang_unread, STARTS["fork"])
    try:
        outcome = worker.ask("abc", 0.3)
        assert (outcome.phase, outcome.was_unread) == ("reading a request", False)
    finally:
        worker.close()


def _hang_unread(_):
    child.enter_phase("reading a request")
    time.sleep(60)


def test_memory_that_the_parent_shares_is_the_workers_own(tmp_path):
    """A mapped file, named and nameless shared memory have the parent's values in a worker, and keep them in the parent."""
    path = tmp_path / "numbers"
    np.arange(4.0).tofile(path)
    mapped, plain = np.memmap(path, mode="r+"), mmap.mmap(-1, 4096)
    named = shared_memory.SharedMemory(create=True, size=8)
    mapped, named.buf[0:2], plain[0:2] = mapped.view(np.float64), b"\5\7", b"\6\10"

    def attack():
        assert (mapped[2], named.buf[1], plain[1]) == (2.0, 7, 8)
        mapped[3], named.buf[0], plain[0] = 66.0, 66, 66
        mapped.flush()
        assert (mapped[3], named.buf[0], plain[0]) == (66.0, 66, 66)

    try:
        assert evaluate(attack, source(2.0))[0].status is Status.VALID
        assert (mapped[3], named.buf[0], plain[0], np.fromfile(path)[3]) == (3.0, 5, 6, 3.0)
    finally:
        named.close()
        named.unlink()


def protect(address, size, protection):
    """Whether the protection of some memory could be changed."""
    return ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), protection) == 0


@contextlib.contextmanager
def readable_mappings(path):
    """Addresses of memory that is mapped to be read and shared, though its file could be written: named by what it is."""
    path.write_bytes(b"A" * 8192)
    with open(path, "r+b") as file:
        of_file = mmap.mmap(file.fileno(), 8192, access=mmap.ACCESS_READ)
        removed = mmap.mmap(file.fileno(), 8192)
    nameless = mmap.mmap(-1, 4096)
    nameless[:] = removed[:4096]
    arrays = {"file": of_file, "nameless": nameless}
    found = {name: np.frombuffer(memory, np.uint8).ctypes.data for name, memory in arrays.items()}
    name_memory(found["nameless"], 4096)
    assert protect(found["nameless"], 4096, mmap.PROT_READ)
    yield found, arrays


def name_memory(address, size):
    """Give memory a name, as libraries do; it is shown in brackets."""
    ctypes.CDLL(None).prctl(0x53564D41, 0, ctypes.c_ulong(address), ctypes.c_ulong(size), b"of a library")


def test_memory_that_could_be_made_writable_is_the_workers_own(tmp_path):
    """Shared mappings to read are private ones to read in a worker, and what it writes after `mprotect` stays there."""
    with readable_mappings(tmp_path / "numbers") as (addresses, mappings):

        def attack():
            maps = Path("/proc/self/maps").read_text()
            for address in addresses.values():
                assert f"{address:x}-" in maps
                assert maps.partition(f"{address:x}-")[2].split()[1] == "r--p"
                assert ctypes.string_at(address, 2) == b"AA"
                assert protect(address, 4096, mmap.PROT_READ | mmap.PROT_WRITE)
                ctypes.memset(address + 2048, ord("B"), 2048)
                assert protect(address, 4096, mmap.PROT_READ)

        (found,) = evaluate(attack, source(2.0))
        assert found.status is Status.VALID, found
        assert [mapping[:4096] for mapping in mappings.values()] == [b"A" * 4096] * 2
        assert (tmp_path / "numbers").read_bytes() == b"A" * 8192


def test_a_mapping_of_what_is_gone_ends_no_worker(tmp_path):
    """A file that was removed and made shorter than its mapping has zeros in a worker, where others fault."""
    path = tmp_path / "numbers"
    path.write_bytes(b"A" * 8192)
    with open(path, "r+b") as file:
        mapped = mmap.mmap(file.fileno(), 8192)
        path.unlink()
        os.ftruncate(file.fileno(), 4096)

        def attack():
            assert (mapped[0], mapped[4096]) == (ord("A"), 0)

        assert evaluate(attack, source(2.0))[0].status is Status.VALID


def spoil_others():
    """Write the phase of other workers, and a pickle into every socket that is open."""
    own = child._OWN_PHASE[0]
    for other in [o for o in gc.get_objects() if isinstance(o, Worker)]:
        with contextlib.suppress(ValueError, TypeError):
            if other._shared.phase is not own:
                other._shared.phase[:5] = b"spoil"
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            end = socket.socket(fileno=os.dup(int(name)))
            end.send(framed(pickle.dumps((b"", 2.0, None))))


@pytest.mark.slow
@pytest.mark.parametrize("permissions", [[], ["network"], ["write"]])
def test_other_workers_are_out_of_reach(permissions):
    """What a worker does to all that it has open or mapped changes no other worker's answers, whatever it is permitted."""

    def attack():
        if os.path.exists(f"/proc/self/fd/{ready}") and not os.fstat(ready).st_size:
            spoil_others()

    ready = os.memfd_create("ready")
    try:
        with Evolution(f, metric=in_child(attack), workers=2, deadline=2.0, permissions=permissions) as search:
            search.evaluate_many([source(2.0), source(3.0)])
            os.ftruncate(ready, 1)
            found = search.evaluate_many([source(4.0), source(5.0), source(6.0)])
        assert [each.score for each in found if each.status is Status.VALID] == [
            float(4 + i) for i, each in enumerate(found) if each.status is Status.VALID
        ]
        assert sum(each.status is Status.VALID for each in found) >= 2
    finally:
        os.close(ready)


def count_shared(_):
    """How many descriptors of what workers share a process has, its own among them."""
    names = [
        os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{n}")
    ]
    return sum("worker phase" in name for name in names)


def test_no_worker_has_what_another_one_shares():
    """Not even with the permission to write does a worker inherit the files of another one."""
    first, second = Worker(count_shared), Worker(count_shared, permissions=["write"])
    try:
        assert [worker.ask(None, 10.0) for worker in (first, second)] == [WorkerReply(1)] * 2
    finally:
        first.close()
        second.close()


def test_shared_memory_of_others_cannot_be_read():
    """Named memory of processes that are no worker's is closed to workers without processes of their own."""
    named = shared_memory.SharedMemory(create=True, size=8)

    def attack():
        with open(f"/dev/shm/{named.name}", "rb") as file:
            file.read()

    try:
        (found,) = evaluate(attack, source(2.0))
        assert "PermissionError" in found.diagnostics[0].message
    finally:
        named.close()
        named.unlink()


def test_many_open_files_are_no_candidates_fault():
    """A parent with more descriptors than `select` knows evaluates as any other."""
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert evaluate(lambda: None, source(2.0))[0].status is Status.VALID
    finally:
        for file in files:
            os.close(file)


# -- the clock of the deadline -------------------------------------------------------------------------------------


def answers(serve, deadline):
    worker = Worker(serve)
    try:
        return worker.ask(None, deadline)
    finally:
        worker.close()


def rest(_):
    with stop_clock():
        time.sleep(0.6)
    return "done"


def forge(_):
    """Stop the clock as no code of ours does."""
    PAUSES.pack_into(child._OWN_PHASE[0], MAX_PHASE, 1, 1 << 62)
    time.sleep(600)


@pytest.mark.slow
def test_a_stopped_clock_does_not_count():
    """A child that takes longer than its deadline, while its clock stands, has answered in time."""
    assert answers(rest, 0.3) == WorkerReply("done")
    assert isinstance(answers(lambda _: time.sleep(0.6), 0.3), Overdue)


@pytest.mark.slow
def test_a_clock_stands_for_a_while_only(monkeypatch):
    """What a child writes of its clock is believed up to a limit."""
    monkeypatch.setattr(child, "PAUSE_SECONDS", 0.5)
    monkeypatch.setattr(child, "PAUSE_DEADLINES", 1.0)
    assert isinstance(answers(forge, 0.2), Overdue)


def test_a_worker_that_ends_while_it_is_written_to_is_a_crash():
    """A request that nobody reads to its end, because the child is gone, says how it went."""

    def serve(request):
        os._exit(3)

    worker = Worker(serve)
    try:
        outcome = worker.ask(b"x" * (8 << 20), 5.0)
        assert isinstance(outcome, Crash)
        assert outcome.reason == "exit code 3"
    finally:
        worker.close()
