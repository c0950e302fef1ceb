"""Code generators: the code is clang's own, and whatever becomes of one touches nothing else."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import traceback

import pytest

from symbiont_jit import CandidateError, ToolchainError
from symbiont_jit.backend import child_process, codegen
from symbiont_jit.backend.clang import BITCODE, OBJECT, clang
from symbiont_jit.backend.codegen import CodeGenerators, code_generators
from symbiont_jit.backend.elf import read_elf
from symbiont_jit.backend.loader import load
from symbiont_jit.backend.objects import ObjectCode, bitcode_of, compile_unit
from symbiont_jit.backend.unit import Unit
from tests.kernels import DOT, MATMUL, SORT

SQUARE = Unit("double square(double x)\n{\n  return x * x;\n}\n", ("square",))
BIG_FRAME = Unit(
    "double f(double x)\n{\n  volatile double a[4096];\n  a[(int)x] = x;\n  return a[(int)x + 1];\n}\n",
    ("f",),
    flags=("-Werror=frame-larger-than", "-Wframe-larger-than=16384"),
)


@pytest.fixture
def generators():
    """Two code generators at most, of this test alone."""
    fresh = CodeGenerators(2)
    yield fresh
    fresh.close()


@pytest.fixture
def here():
    """No process can be started: code is generated in this one."""
    return CodeGenerators(1, is_refused=True)


def square_of(data, x):
    """What an object's function computes."""
    loaded = load(ObjectCode("key", ("square",), data, ()))
    result = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(loaded.addresses[0])(x)
    loaded.close()
    return result


def machine_code(data):
    obj = read_elf(data)
    return {
        obj.section_name(s): obj.content(s) for s in obj.sections if obj.section_name(s) in (".text", ".rodata.cst8")
    }


@pytest.mark.parametrize("text", [DOT, MATMUL, SORT], ids=["dot", "matmul", "sort"])
def test_the_code_is_what_clang_itself_would_write(text):
    """Llvmlite's code generator, given the same CPU and options, writes clang's machine code byte for byte."""
    name = text.split("(")[0].split()[-1]
    unit = Unit(text + "\n", (name,))
    by_clang = clang().lower(unit.c_text(), OBJECT)
    assert machine_code(compile_unit(unit).data) == machine_code(by_clang)


def test_in_this_process_the_code_is_the_same(here, generators):
    """Where no process can be started, the same bytes come from the user's."""
    bitcode = bitcode_of(SQUARE)
    assert here.generate(codegen.OBJECT, bitcode) == generators.generate(codegen.OBJECT, bitcode)
    assert square_of(here.generate(codegen.OBJECT, bitcode), 3.0) == 9.0


@pytest.mark.parametrize("where", ["here", "generators"])
def test_a_large_frame_is_a_finding_of_its_own(where, request):
    """What needs more stack than the flags allow is told by the rule `frame`, with both sizes."""
    data = clang().lower(BIG_FRAME.c_text(), BITCODE, BIG_FRAME.flags)
    (finding,) = request.getfixturevalue(where).generate(codegen.OBJECT, data)
    assert (finding.stage, finding.rule) == ("lower", "frame")
    assert finding.message.endswith("bytes; at most 16384")


@pytest.mark.parametrize("where", ["here", "generators"])
def test_what_is_no_bitcode_is_refused(where, request):
    """Bytes that LLVM cannot read are a finding, and the next unit is served."""
    pool = request.getfixturevalue(where)
    (finding,) = pool.generate(codegen.OBJECT, b"BC\xc0\xde and nothing else")
    assert (finding.stage, finding.rule) == ("lower", "compiler")
    assert "refuses" in finding.message
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 2.0) == 4.0


def test_the_end_of_a_code_generator_is_a_finding_and_another_one_is_started(generators):
    """An abort of LLVM's ends its process alone; the unit is told, the next one gets a new process."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.processes
    os.kill(first.pid, signal.SIGSTOP)

    def fail():
        os.kill(first.pid, signal.SIGABRT)
        os.kill(first.pid, signal.SIGCONT)

    threading.Timer(0.3, fail).start()
    (finding,) = generators.generate(codegen.OBJECT, bitcode)
    assert "the code generator failed (signal 6)" in finding.message
    assert square_of(generators.generate(codegen.OBJECT, bitcode), 3.0) == 9.0
    assert [process.pid for process in generators.processes] != [first.pid]


def test_one_that_died_while_it_waited_is_replaced(generators):
    """Nobody is told of the end of a process that had no unit."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.processes
    first.kill()
    first.wait()
    assert square_of(generators.generate(codegen.OBJECT, bitcode), 3.0) == 9.0


def test_a_fault_of_llvms_is_the_candidates(monkeypatch):
    """A table that takes more memory than a code generator has ends it, and is a finding with advice."""
    table = f"static const char table[{2 << 30}] = {{[5] = 1}};"
    with pytest.raises(CandidateError) as caught:
        compile_unit(Unit(f"{table}\ndouble f(double x)\n{{\n  return table[(long)x];\n}}\n", ("f",)))
    assert caught.value.stage == "lower"
    assert caught.value.diagnostics[0].rule in ("compiler", "limit")
    assert isinstance(compile_unit(SQUARE).data, bytes)


def test_one_that_is_too_slow_is_ended(generators, monkeypatch):
    """A unit has a time limit; the process that passes it is killed."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.processes
    monkeypatch.setattr(codegen, "TIMEOUT", 0.2)
    os.kill(first.pid, signal.SIGSTOP)
    (finding,) = generators.generate(codegen.OBJECT, bitcode)
    assert (finding.rule, finding.message) == ("limit", "generating code took longer than 0.2 seconds")
    assert first.poll() == -signal.SIGKILL


def test_threads_share_few_processes(generators):
    """More threads than processes wait for each other; all are served."""
    bitcode, found = bitcode_of(SQUARE), []
    threads = [
        threading.Thread(target=lambda: found.append(generators.generate(codegen.OBJECT, bitcode))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {found[0]}
    assert len(generators.processes) <= 2


def test_a_process_is_replaced_after_many_units(generators, monkeypatch):
    """What LLVM keeps of every unit goes with the process."""
    monkeypatch.setattr(codegen, "MAX_UNITS", 3)
    pids = set()
    for _ in range(7):
        generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
        pids |= {process.pid for process in generators.processes}
    assert len(pids) == 3


@pytest.mark.parametrize("command", [("/nowhere/python",), ("/bin/true",), ("/bin/echo", "no code generator")])
def test_where_no_process_can_be_started_code_is_generated_here(monkeypatch, command):
    """A program that is missing, ends at once or is another one is tried some times, and then no more."""
    monkeypatch.setattr(codegen, "_command", lambda: command)
    pool = CodeGenerators(2)
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
    assert pool.is_refused
    assert pool.processes == []
    pool.prewarm(2)
    assert pool.processes == []


def test_a_forked_child_has_code_generators_of_its_own():
    """A child neither uses nor holds the pipes of its parent's processes, and can compile."""
    code_generators().prewarm()
    theirs = {process.pid for process in code_generators().processes}
    assert theirs
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            assert code_generators().processes == []
            compile_unit(Unit("double f(double x)\n{\n  return x - 12345.0;\n}\n", ("f",)))
            ours = {process.pid for process in code_generators().processes}
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
    assert {process.pid for process in code_generators().processes} == theirs


def test_nothing_outlives_the_process():
    """Code generators end with whoever started them, also where that is killed."""
    code = """
        import os, signal, sys
        from symbiont_jit.backend.codegen import code_generators
        from symbiont_jit.backend.objects import compile_unit
        from symbiont_jit.backend.unit import Unit
        compile_unit(Unit("double f(double x)\\n{\\n  return x;\\n}\\n", ("f",)))
        print(*(process.pid for process in code_generators().processes), flush=True)
        os.kill(os.getpid(), signal.SIGKILL) if sys.argv[1] == "kill" else None
    """
    for how in ("kill", "end"):
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), how], capture_output=True, text=True)
        for pid in map(int, done.stdout.split()):
            assert wait_for_end(pid), f"{pid} lives on after {how}"


def wait_for_end(pid):
    """Whether a process that is not our child is gone within ten seconds."""
    for _ in range(1000):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        threading.Event().wait(0.01)
    return False


@pytest.mark.parametrize("method", ["start", "generate"])
def test_an_interruption_loses_no_place(generators, monkeypatch, method):
    """Whoever is interrupted while a process works for him leaves room for another one."""

    def interrupted(*_):
        raise KeyboardInterrupt

    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(codegen.CodeGenerator, method, interrupted)
            with pytest.raises(KeyboardInterrupt):
                generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
    assert generators.processes == []
    assert square_of(generators.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0


def test_ctrl_c_is_not_for_code_generators(generators):
    """They are in process groups of their own."""
    generators.prewarm(2)
    assert [os.getpgid(process.pid) for process in generators.processes] == [p.pid for p in generators.processes]
    assert len(generators.processes) == 2


def test_no_child_has_a_pipe_of_another(generators):
    """A clang that is started afterwards has three descriptors."""
    generators.prewarm(1)
    process = child_process.spawn(["/bin/sleep", "60"])
    try:
        assert sorted(os.listdir(f"/proc/{process.pid}/fd"), key=int) == ["0", "1", "2"]
    finally:
        child_process.end(process)


def test_an_llvm_that_does_not_warn_of_large_frames_is_refused(monkeypatch):
    """Limits of frames rest on LLVM's warning, so a code generator that does not give it serves nobody."""
    monkeypatch.setattr(codegen, "_FRAME", re.compile("another wording"))
    started = CodeGenerators(1)
    try:
        with pytest.raises(ToolchainError, match="too much stack; install the one"):
            started.generate(OBJECT, b"")
        assert started.processes == []
    finally:
        started.close()


def test_this_process_is_asked_for_the_warning_too(monkeypatch):
    """Where code is generated here, LLVM has to warn here."""
    monkeypatch.setattr(codegen, "_FRAME", re.compile("another wording"))
    refused = CodeGenerators(1, is_refused=True)
    codegen._machine.cache_clear()
    with pytest.raises(ToolchainError, match="too much stack"):
        refused.generate(OBJECT, b"")
    codegen._machine.cache_clear()


# -- forks, and what a process may answer ------------------------------------------------------------------------------


def test_a_fork_within_a_request_disturbs_nothing(monkeypatch):
    """A child that another thread forks while a request is on its way sends no part of it a second time."""
    real, bitcode, children = codegen.write_all, bitcode_of(SQUARE), []

    def write_with_forks(process, data, seconds):
        for part in (data[:20], data[20:]):
            real(process, part, seconds)
            child = os.fork()
            if child == 0:
                os._exit(0)
            children.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    expected = code_generators().generate(codegen.OBJECT, bitcode)
    before = {process.pid for process in code_generators().processes}
    monkeypatch.setattr(codegen, "write_all", write_with_forks)
    for _ in range(3):
        assert code_generators().generate(codegen.OBJECT, bitcode) == expected
    assert children == [0] * 6
    assert {process.pid for process in code_generators().processes} == before


def test_the_pipes_have_no_buffer(generators):
    """What a buffer holds would be written by a forked child too, whenever it closes its copies."""
    generators.prewarm(1)
    (process,) = generators.processes
    assert type(process.stdin).__name__ == type(process.stdout).__name__ == "FileIO"


def test_the_answer_to_another_request_is_no_answer(generators):
    """A process that is out of step is ended, and no unit gets the code of another."""
    bitcode = bitcode_of(SQUARE)
    expected = generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.processes
    child_process.write_all(first, codegen.HEAD.pack(codegen.OBJECT, 99, len(bitcode)) + bitcode, 10.0)
    (finding,) = generators.generate(codegen.OBJECT, bitcode)
    assert finding.message == "the code generator answered request 99, not 2"
    assert first.poll() == -signal.SIGKILL
    assert generators.generate(codegen.OBJECT, bitcode) == expected


def test_a_process_that_does_not_read_is_given_up(generators):
    """More than a pipe holds, written to a process that is stopped, is a timeout and no hang."""
    generators.prewarm(1)
    (process,) = generators.processes
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError, match=r"has not read its input within 0\.1 seconds"):
        child_process.write_all(process, bytes(1 << 20), 0.1)


# -- where processes are scarce ----------------------------------------------------------------------------------------


def test_where_one_process_runs_no_other_is_needed(generators, monkeypatch):
    """A system that starts no second process lets everybody wait for the first."""
    bitcode, found = bitcode_of(SQUARE), []
    generators.generate(codegen.OBJECT, bitcode)

    def no_process(_):
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(codegen, "spawn", no_process)
    monkeypatch.delattr(codegen, "_generate_here")
    threads = [
        threading.Thread(target=lambda: found.append(generators.generate(codegen.OBJECT, bitcode))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(each) for each in found] == [bytes] * 6
    assert not generators.is_refused


def test_a_refusal_is_told_and_does_not_last(generators, monkeypatch, caplog):
    """Where no process could be started a warning says so, and later another attempt is made."""
    with monkeypatch.context() as patch:
        patch.setattr(codegen, "_command", lambda: ("/nowhere/python",))
        generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
    assert generators.is_refused
    (record,) = caplog.records
    assert "no code generator can be started" in record.getMessage()
    assert "/nowhere/python" in record.getMessage()
    monkeypatch.setattr(codegen, "RETRY_SECONDS", 0.0)
    generators.generate(codegen.OBJECT, bitcode_of(SQUARE))
    assert not generators.is_refused
    assert len(generators.processes) == 1


@pytest.mark.parametrize(("name", "value"), [("frozen", True), ("executable", ""), ("executable", None)])
def test_an_application_that_is_no_interpreter_generates_here(generators, monkeypatch, name, value):
    """A frozen or embedded application is not started a second time: that would run the user's program."""
    monkeypatch.setattr(sys, name, value, raising=False)
    codegen._command.cache_clear()
    try:
        assert square_of(generators.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
        assert generators.is_refused
        assert generators.processes == []
    finally:
        codegen._command.cache_clear()
