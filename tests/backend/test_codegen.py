"""Code generators: whatever becomes of one, its unit gets an answer and the next one its code."""

import contextlib
import itertools
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import traceback

import pytest

from symbiont_jit.backend import child_process, codegen
from symbiont_jit.backend.child_process import Child, Deadline
from symbiont_jit.backend.clang import clang
from symbiont_jit.backend.codegen import CodeGenerators, code_generators
from symbiont_jit.backend.objects import bitcode_of, compile_unit
from symbiont_jit.backend.unit import Unit
from tests.backend.generating import SQUARE, square_of
from tests.concurrency import await_true, has_ended, interruption_after, run_in_threads, signal_every


@pytest.mark.slow
def test_the_end_of_a_code_generator_is_a_finding_and_another_one_is_started(generators):
    """An abort of LLVM's ends its process alone; the unit is told, the next one gets a new process."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.children
    os.kill(first.pid, signal.SIGSTOP)

    def fail():
        os.kill(first.pid, signal.SIGABRT)
        os.kill(first.pid, signal.SIGCONT)

    threading.Timer(0.3, fail).start()
    (finding,) = generators.generate(codegen.OBJECT, bitcode)
    assert "the code generator failed (signal 6)" in finding.message
    assert square_of(generators.generate(codegen.OBJECT, bitcode), 3.0) == 9.0
    assert [child.pid for child in generators.children] != [first.pid]


def test_a_code_generator_that_somebody_kills_costs_nothing(generators):
    """What the system kills, because memory is short, says nothing of the unit: another process gets it."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.children
    os.kill(first.pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, (first.pid, signal.SIGKILL)).start()
    assert square_of(generators.generate(codegen.OBJECT, bitcode), 3.0) == 9.0


def test_one_that_died_while_it_waited_is_replaced(generators):
    """Nobody is told of the end of a process that had no unit."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.children
    first.kill()
    first._reap()
    assert square_of(generators.generate(codegen.OBJECT, bitcode), 3.0) == 9.0


def test_one_that_is_too_slow_is_ended(generators, monkeypatch):
    """A unit has a time limit; the process that passes it is killed."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.children
    monkeypatch.setattr(child_process, "TIMEOUT", 0.2)
    os.kill(first.pid, signal.SIGSTOP)
    (finding,) = generators.generate(codegen.OBJECT, bitcode)
    assert (finding.rule, finding.message) == ("limit", "generating code took longer than 0.2 seconds")
    assert first.returncode == -signal.SIGKILL


def test_threads_share_few_processes(generators):
    """More threads than processes wait for each other; all are served."""
    bitcode = bitcode_of(SQUARE)
    found = run_in_threads(8, lambda: generators.generate(codegen.OBJECT, bitcode))
    assert len(set(found)) == 1
    assert len(generators.children) <= 2


@pytest.mark.slow
def test_a_process_is_replaced_after_many_units(generators, monkeypatch):
    """What LLVM keeps of every unit goes with the process."""
    monkeypatch.setattr(codegen, "MAX_UNITS", 3)
    pids = set()
    for _ in range(7):
        generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
        pids |= {child.pid for child in generators.children}
    assert len(pids) == 3


@pytest.mark.parametrize("command", [("/nowhere/python",), ("/bin/true",), ("/bin/echo", "no code generator")])
def test_where_no_process_can_be_started_code_is_generated_here(monkeypatch, command):
    """A program that is missing, ends at once or is another one is tried some times, and then no more."""
    monkeypatch.setattr(codegen, "_command", lambda: command)
    pool = CodeGenerators(2)
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
    assert pool.is_refused
    assert pool.children == []
    pool.prewarm(2)
    assert pool.children == []


def test_a_forked_child_has_code_generators_of_its_own():
    """A child neither uses nor holds the pipes of its parent's processes, and can compile."""
    code_generators().prewarm()
    theirs = {child.pid for child in code_generators().children}
    assert theirs
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            assert code_generators().children == []
            compile_unit(Unit("double f(double x)\n{\n  return x - 12345.0;\n}\n", ("f",)))
            ours = {child.pid for child in code_generators().children}
            assert ours
            assert not ours & theirs
            code_generators().close()
            clang().close()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert {child.pid for child in code_generators().children} == theirs


@pytest.mark.slow
def test_nothing_outlives_the_process():
    """Code generators end with whoever started them, also where that is killed."""
    code = """
        import os, signal, sys
        from symbiont_jit.backend.codegen import code_generators
        from symbiont_jit.backend.objects import compile_unit
        from symbiont_jit.backend.unit import Unit
        compile_unit(Unit("double f(double x)\\n{\\n  return x;\\n}\\n", ("f",)))
        print(*(child.pid for child in code_generators().children), flush=True)
        os.kill(os.getpid(), signal.SIGKILL) if sys.argv[1] == "kill" else None
    """
    for how in ("kill", "end"):
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), how]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.stderr == ""
        for pid in map(int, done.stdout.split()):
            assert await_true(lambda pid=pid: has_ended(pid)), f"{pid} lives on after {how}"


@pytest.mark.slow
def test_interruptions_lose_no_place(generators):
    """Whoever is interrupted while processes work leaves them to the next, who gets the right code."""
    bitcode = bitcode_of(SQUARE)
    expected = generators.generate(codegen.OBJECT, bitcode)
    for number in range(60):
        with contextlib.suppress(KeyboardInterrupt), interruption_after(number / 5000):
            for _ in range(100):
                generators.generate(codegen.OBJECT, bitcode)
    assert run_in_threads(6, lambda: generators.generate(codegen.OBJECT, bitcode)) == [expected] * 6
    assert len(generators.children) <= 2


def test_a_signal_handler_may_compile_while_a_compilation_waits(generators):
    """With one process, the handler's unit comes after the one that it has interrupted."""
    bitcode, found = bitcode_of(SQUARE), []
    only = CodeGenerators(1)
    expected = only.generate(codegen.OBJECT, bitcode)
    with signal_every(0.003, lambda: found.append(only.generate(codegen.OBJECT, bitcode)), times=20):
        while len(found) < 20:
            assert only.generate(codegen.OBJECT, bitcode) == expected
    assert found == [expected] * 20
    only.close()


def test_ctrl_c_is_not_for_code_generators(generators):
    """They are in process groups of their own."""
    generators.prewarm(2)
    assert [os.getpgid(process.pid) for process in generators.children] == [p.pid for p in generators.children]
    assert len(generators.children) == 2


# -- forks, and what a process may answer ------------------------------------------------------------------------------


def test_a_fork_within_a_request_disturbs_nothing(monkeypatch):
    """A child that is forked while a request is on its way sends no part of it a second time."""
    real, bitcode, children = Child.write, bitcode_of(SQUARE), []

    def write_with_forks(self, data, deadline):
        for part in (data[:20], data[20:]):
            real(self, part, deadline)
            child = os.fork()
            if child == 0:
                os._exit(0)
            children.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    expected = code_generators().generate(codegen.OBJECT, bitcode)
    before = {child.pid for child in code_generators().children}
    monkeypatch.setattr(Child, "write", write_with_forks)
    for _ in range(3):
        assert code_generators().generate(codegen.OBJECT, bitcode) == expected
    assert children == [0] * 6
    assert {child.pid for child in code_generators().children} == before


@pytest.mark.slow
def test_closing_while_others_compile_is_a_finding_or_nothing(generators):
    """Whoever waits for an answer of a process that is ended gets a finding, and the next unit its code."""
    bitcode = bitcode_of(SQUARE)
    expected = generators.generate(codegen.OBJECT, bitcode)
    is_over = threading.Event()

    def generate():
        outcomes = []
        while not is_over.is_set():
            outcomes.append(generators.generate(codegen.OBJECT, bitcode))
        return outcomes

    threading.Thread(target=lambda: [generators.close() for _ in range(50)] and is_over.set()).start()
    for outcome in itertools.chain.from_iterable(run_in_threads(3, generate)):
        assert outcome == expected or re.search(r"failed \(signal 9\)|are closed before", outcome[0].message)
    assert not generators.is_refused
    assert generators.generate(codegen.OBJECT, bitcode) == expected


def test_the_answer_to_another_request_is_no_answer(generators):
    """A process that is out of step is ended, and no unit gets the code of another."""
    bitcode = bitcode_of(SQUARE)
    expected = generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.children
    first.write(codegen.HEAD.pack(codegen.OBJECT, 99, len(bitcode)) + bitcode, Deadline(10.0))
    (finding,) = generators.generate(codegen.OBJECT, bitcode)
    assert finding.message == "the code generator answered request 99, not 2"
    assert first.returncode == -signal.SIGKILL
    assert generators.generate(codegen.OBJECT, bitcode) == expected


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2])
def test_a_process_that_closes_a_pipe_and_lives_on_is_ended(monkeypatch, number):
    """Whoever serves no more, without ending, is killed, and code is generated here."""
    monkeypatch.setattr(codegen, "_command", lambda: ("/bin/sh", "-c", f"exec {number}>&-; sleep 1000"))
    monkeypatch.setattr(codegen, "START_SECONDS", 0.3)
    monkeypatch.setattr(codegen, "END_SECONDS", 0.2)
    pool = CodeGenerators(1)
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
    assert pool.is_refused
    assert pool.children == []


@pytest.mark.slow
def test_a_process_that_says_too_much_is_ended(monkeypatch):
    """Endless messages are a limit, and nothing waits for their end."""
    monkeypatch.setattr(codegen, "_command", lambda: ("/bin/sh", "-c", "exec yes >&2"))
    monkeypatch.setattr(codegen, "END_SECONDS", 0.2)
    pool = CodeGenerators(1)
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
    assert pool.children == []


# -- where processes are scarce ----------------------------------------------------------------------------------------


def test_where_one_process_runs_no_other_is_needed(generators, monkeypatch):
    """A system that starts no second process lets everybody wait for the first."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)

    def no_process(*_):
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(codegen, "spawn", no_process)
    monkeypatch.delattr(codegen, "_generate_here")
    found = run_in_threads(6, lambda: generators.generate(codegen.OBJECT, bitcode))
    assert [type(each) for each in found] == [bytes] * 6
    assert not generators.is_refused


def test_a_refusal_is_told_and_does_not_last(generators, monkeypatch, caplog):
    """Where no process could be started a warning says so, and later another attempt is made."""
    with monkeypatch.context() as patch:
        patch.setattr(codegen, "_command", lambda: ("/nowhere/python",))
        generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
    assert generators.is_refused
    generators.report_refusals()
    (record,) = caplog.records
    assert "no code generator can be started" in record.getMessage()
    assert "/nowhere/python" in record.getMessage()
    monkeypatch.setattr(codegen, "RETRY_SECONDS", 0.0)
    generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
    assert not generators.is_refused
    assert len(generators.children) == 1


def test_one_that_never_gets_ready_is_waited_for_once(generators, monkeypatch, caplog):
    """A program that starts and does not answer costs its time once; then code is generated here for good."""
    monkeypatch.setattr(codegen, "START_SECONDS", 0.2)
    monkeypatch.setattr(codegen, "RETRY_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(codegen, "_command", lambda: ("/bin/sleep", "1000"))
        assert square_of(generators.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
    generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
    assert generators.is_refused
    assert generators.children == []
    generators.report_refusals()
    assert "longer than 0.2 seconds" in caplog.text
    assert "it stays so" in caplog.text


AT_THE_END = """
import sys, threading, time
from symbiont_jit.backend import codegen
from symbiont_jit.backend.objects import bitcode_of
from tests.backend.generating import SQUARE
pool, bitcode = codegen.code_generators(), bitcode_of(SQUARE)
taken = [pool._take() for _ in range(pool.limit)]

class Last:
    def __init__(self):
        self.me = self
    def __del__(self, ends=sys.is_finalizing):
        print(ends(), pool.generate(codegen.OBJECT, bitcode)[0].message, flush=True)

Last()
"""


@pytest.mark.slow
def test_the_end_of_the_interpreter_waits_for_nobody():
    """A finaliser that compiles where threads that are frozen have all code generators gets a finding."""
    done = subprocess.run([sys.executable, "-c", AT_THE_END], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == (
        "True the code generators are in use, and the interpreter is ending\n",
        0,
    )


@pytest.mark.parametrize(("name", "value"), [("frozen", True), ("executable", ""), ("executable", None)])
def test_an_application_that_is_no_interpreter_generates_here(generators, monkeypatch, name, value):
    """A frozen or embedded application is not started a second time: that would run the user's program."""
    monkeypatch.setattr(sys, name, value, raising=False)
    codegen._command.cache_clear()
    try:
        assert square_of(generators.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
        assert generators.is_refused
        assert generators.children == []
    finally:
        codegen._command.cache_clear()
