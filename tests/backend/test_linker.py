"""The linker for what clang emits, beside running code, in threads and in forks."""

import ctypes
import itertools
import os
import resource
import signal
import sys
import threading

import pytest

from symbiont_jit import CandidateError
from symbiont_jit.backend.elf import symbols
from symbiont_jit.backend.linker import link
from tests.backend.linking import CASES, ENTRY, SQUARE, compiled, library, linked
from tests.frontend.test_corpus import ACCEPT, accepted


@pytest.mark.table
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_every_accepted_file_can_be_linked(path):
    """Nothing in the corpus needs LLVM's linker."""
    data = accepted(path).object_code.data
    entries = sorted(symbols(data)[0])
    code = link(data, entries, library)
    assert len(code.addresses) == len(entries)
    code.close()


def test_an_object_may_have_several_entries():
    """Addresses come in the order that was asked for."""
    text = "double g(int64_t k, double x) { return -x; }" + SQUARE
    for entries in (("f", "g"), ("g", "f"), ("g",), ()):
        code = linked(text, entries=entries)
        assert [ENTRY(a)(0, 3.0) for a in code.addresses] == [{"f": 9.0, "g": -3.0}[name] for name in entries]
        code.close()


def test_a_name_that_nobody_knows_is_the_callers_answer(memory):
    """What `address_of` raises passes, and no room is lost."""
    with pytest.raises(CandidateError, match="no nowhere"):
        linked("double nowhere(double); double f(int64_t k, double x) { return nowhere(x); }")
    assert [chunk.free for chunk in memory.chunks] == [[(chunk.start, chunk.end)] for chunk in memory.chunks]


@pytest.mark.slow
def test_other_threads_run_while_objects_are_linked(memory):
    """Code in the same pages goes on while objects come and go there."""
    busy = "double f(int64_t k, double x) { for (int64_t i = 0; i < k; i++) x = x * 0.5 + sin(x); return x; }"
    function = ENTRY(linked(busy).addresses[0])
    expected, wrong, calls, stop = function(2000, 1.0), [], [], threading.Event()

    def run():
        while not stop.is_set():
            wrong.extend(result for result in (function(2000, 1.0), function(0, 3.0)) if result not in (expected, 3.0))
            calls.append(1)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    kept = []
    for k in itertools.count():
        if k >= 60 and len(calls) >= 40:
            break
        code = linked(SQUARE)
        assert ENTRY(code.addresses[0])(0, 3.0) == 9.0
        if k % 50:
            code.close()
        else:
            kept.append(code)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    running = ctypes.cast(function, ctypes.c_void_p).value
    assert kept[0].addresses[0] // resource.getpagesize() == running // resource.getpagesize()
    assert {ENTRY(code.addresses[0])(0, 3.0) for code in kept} == {9.0}


@pytest.mark.slow
def test_threads_may_link_and_close_at_the_same_time(memory):
    """Every thread gets its own place, and all room is one range again afterwards."""
    wrong = []

    def work(k):
        data = compiled(f"double f(int64_t k, double x) {{ return x + {k}; }}")
        for _ in range(60):
            codes = [link(data, ["f"], library) for _ in range(3)]
            wrong.extend(code for code in codes if ENTRY(code.addresses[0])(0, 0.0) != k)
            for code in codes:
                code.close()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert not wrong
    linked(SQUARE).close()  # what was closed while another thread was at work is free by now
    assert [chunk.free for chunk in memory.chunks] == [[(chunk.start, chunk.end)] for chunk in memory.chunks]


def in_child(work):
    """Run in a forked process and say whether it went well; one that hangs ends by itself."""
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_child_changes_its_own_copy():
    """What a child links and closes leaves the code of its parent as it was."""
    code = linked(CASES["library"][0])
    before = ctypes.string_at(code.addresses[0], 64)

    def work():
        same = ENTRY(code.addresses[0])(3, 0.5) == CASES["library"][1](3, 0.5)
        code.close()
        gone = ctypes.string_at(code.addresses[0], 64) == b"\xcc" * 64
        others = [linked(SQUARE) for _ in range(100)]
        return same and gone and all(ENTRY(other.addresses[0])(0, 3.0) == 9.0 for other in others)

    assert in_child(work)
    assert ctypes.string_at(code.addresses[0], 64) == before
    assert ENTRY(code.addresses[0])(3, 0.5) == CASES["library"][1](3, 0.5)
    code.close()


@pytest.mark.slow
def test_a_fork_finds_the_arena_free_and_whole():
    """A child that is forked while another thread links can link too."""
    stop = threading.Event()
    data = compiled(SQUARE)

    def run():
        while not stop.is_set():
            link(data, ["f"], library).close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert all(in_child(lambda: ENTRY(linked(SQUARE).addresses[0])(0, 3.0) == 9.0) for _ in range(20))
    finally:
        stop.set()
        thread.join()
