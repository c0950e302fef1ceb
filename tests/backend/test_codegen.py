"""Code generators: the code is clang's own, and whatever becomes of one touches nothing else."""

import contextlib
import ctypes
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

from symbiont_jit import CandidateError, ToolchainError
from symbiont_jit.backend import codegen
from symbiont_jit.backend.child_process import Child, Deadline
from symbiont_jit.backend.clang import BITCODE, OBJECT, clang
from symbiont_jit.backend.codegen import CodeGenerators, code_generators
from symbiont_jit.backend.elf import read_elf
from symbiont_jit.backend.loader import load
from symbiont_jit.backend.objects import ObjectCode, bitcode_of, compile_unit
from symbiont_jit.backend.unit import Unit
from tests.concurrency import await_true, has_ended, interruption_after, run_in_threads, signal_every
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


def square_of(data, x, name="square"):
    """What an object's function computes."""
    loaded = load(ObjectCode("key", (name,), data, ()))
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


def test_one_that_died_while_it_waited_is_replaced(generators):
    """Nobody is told of the end of a process that had no unit."""
    bitcode = bitcode_of(SQUARE)
    generators.generate(codegen.OBJECT, bitcode)
    (first,) = generators.children
    first.kill()
    first._reap()
    assert square_of(generators.generate(codegen.OBJECT, bitcode), 3.0) == 9.0


@pytest.mark.slow
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
    (first,) = generators.children
    monkeypatch.setattr(codegen, "TIMEOUT", 0.2)
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


def test_an_llvm_that_does_not_warn_of_large_frames_is_refused(monkeypatch):
    """Limits of frames rest on LLVM's warning, so a code generator that does not give it serves nobody."""
    monkeypatch.setattr(codegen, "_FRAME", re.compile("another wording"))
    started = CodeGenerators(1)
    try:
        with pytest.raises(ToolchainError, match="too much stack; install the one"):
            started.generate(OBJECT, b"")
        assert started.children == []
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


FORKS = """
    import os, signal, sys, threading
    from symbiont_jit.backend.codegen import code_generators
    from tests.backend.test_codegen import compiled_anew

    signal.alarm(120)
    code_generators().is_refused = sys.argv[1] == "here"
    worker = threading.Thread(target=lambda: [compiled_anew(number) for number in range(40)])
    worker.start()
    statuses = set()
    for _ in range(8):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if not code_generators().children and compiled_anew(1000) else 1)
        statuses.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    worker.join()
    print(statuses)
"""


def compiled_anew(number):
    """Compile a text that nobody has compiled, and say whether its value is right."""
    code = compile_unit(Unit(f"double f(double x)\n{{\n  return x + {number}.25;\n}}\n", ("f",)))
    return square_of(code.data, 1.0, "f") == number + 1.25


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "apart"])
def test_a_fork_while_another_thread_compiles_hangs_nobody(where):
    """Both go on, and the child may compile, wherever code is generated."""
    command = [sys.executable, "-c", textwrap.dedent(FORKS), where]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "{0}\n"), done.stderr


FORKS_IN_HANDLERS = """
    import os, signal, sys
    from symbiont_jit.backend.codegen import code_generators
    from tests.backend.test_codegen import compiled_anew
    from tests.concurrency import signal_every

    signal.alarm(120)
    code_generators().is_refused = sys.argv[1] == "here"
    children, ours = [], os.getpid()

    def fork():
        child = os.fork()
        if child:
            children.append(child)
        else:
            signal.alarm(60)

    with signal_every(0.011, fork, times=6):
        number = 0
        while len(children) < 6 and os.getpid() == ours:
            assert compiled_anew(number), number
            number += 1
    if os.getpid() != ours:
        os._exit(0 if compiled_anew(1000) else 1)
    print({os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children})
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "apart"])
def test_a_signal_handler_may_fork_while_a_compilation_waits(where):
    """The child comes back from the handler into the compilation, does it anew, and goes on."""
    command = [sys.executable, "-c", textwrap.dedent(FORKS_IN_HANDLERS), where]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "{0}\n"), done.stderr


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
    pool = CodeGenerators(1)
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
    assert pool.is_refused
    assert pool.children == []


@pytest.mark.slow
def test_a_process_that_says_too_much_is_ended(monkeypatch):
    """Endless messages are a limit, and nothing waits for their end."""
    monkeypatch.setattr(codegen, "_command", lambda: ("/bin/sh", "-c", "exec yes >&2"))
    pool = CodeGenerators(1)
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 3.0) == 9.0
    assert pool.children == []


LONELY = """
    import sys
    from symbiont_jit.backend import generator

    def generate_for_ever(*_):
        while True:
            pass

    generator.SECONDS, generator.generate, generator.provoke_warning = 1, generate_for_ever, lambda machine: None
    generator._main(*sys.argv[1:])
"""


@pytest.mark.slow
def test_a_request_of_somebody_who_was_killed_ends():
    """A code generator has a clock of its own, for whoever cannot end it any more."""
    command = [sys.executable, "-c", textwrap.dedent(LONELY), *codegen._command()[-4:]]
    request = codegen.HEAD.pack(codegen.OBJECT, 1, 0)
    done = subprocess.run(command, input=request, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGALRM, done.stderr


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
from tests.backend.test_codegen import SQUARE, bitcode_of
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
