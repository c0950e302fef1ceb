"""Clang as a child process: its findings, its flags, and whatever stands in its place."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from numba import float64 as f64

from symbiont_jit import CandidateError, ToolchainError, evolvable
from symbiont_jit.backend import child_process, clang_process, toolchain
from symbiont_jit.backend.clang import BITCODE, UNITS, clang
from symbiont_jit.backend.clang_process import require_input
from symbiont_jit.backend.codegen import OBJECT, code_generators
from symbiont_jit.backend.objects import bitcode_of, end_compilers
from symbiont_jit.backend.unit import Unit
from tests.backend.compiling import SQUARE, call, compiled
from tests.concurrency import await_true, interruption_after


def test_clang_findings_count_canonical_lines():
    """Clang's errors come back with the line and column of the canonical text, whatever stands before it."""
    text = "double f(double x)\n{\n  return x + unknown;\n}\n"
    with pytest.raises(CandidateError) as caught:
        compiled(text, "f")
    (finding,) = caught.value.diagnostics
    assert (caught.value.stage, finding.line, finding.column) == ("lower", 3, 14)
    assert "undeclared identifier 'unknown'" in finding.message
    assert "  return x + unknown;\n                 ^" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("int *p = &x; return *p;", "incompatible pointer types"),
        ("const double t = x; *(double *)&t = 1; return t;", "drops const"),
        ("if (x > 0) { return 1; }", "non-void function"),
        ("int *p = 5; return *p;", "integer to pointer"),
    ],
)
def test_what_c_only_warns_of_is_an_error(body, message):
    """Wrong pointers, a lost const and a missing return value do not pass with a warning."""
    with pytest.raises(CandidateError, match=message):
        compiled(f"double f(double x)\n{{\n  {body}\n}}\n", "f")


@pytest.mark.usefixtures("loader")
def test_contraction_is_off_by_default():
    """`a * b + c` rounds twice, as in Numba and NumPy."""
    text = "double f(double x)\n{\n  return x * x - 1.0000000000000002;\n}\n"
    x = 1.0 + 2.0**-52
    assert call(compiled(text, "f"), x) == x * x - 1.0000000000000002


def test_bitcode_is_valid_for_llvmlite():
    """What clang writes can be parsed and verified by the LLVM in llvmlite."""
    import llvmlite.binding as llvm

    module = llvm.parse_bitcode(bitcode_of(Unit(SQUARE, ("square",))))
    module.verify()
    assert [f.name for f in module.functions] == ["square"]


@pytest.mark.usefixtures("loader")
def test_flags_reach_clang():
    """`flags=` of a declaration are clang's options."""

    @evolvable(source="double f(double x) { return K * x; }", flags=["-DK=7"])
    def f(x: f64) -> f64: ...

    assert f(2.0) == 14.0


@pytest.mark.slow
def test_an_interruption_leaves_no_compiler_behind(monkeypatch):
    """Whoever is interrupted while clang works leaves at once, and clang has its limit of time nevertheless."""
    text = "double f(double x)\n{\n  return x + 271.0;\n}\n"
    clang().close()
    clang().prewarm(BITCODE, (), 1)
    (child,) = clang().waiting
    os.kill(child.pid, signal.SIGSTOP)
    monkeypatch.setattr(child_process, "TIMEOUT", 1.0)
    with pytest.raises(KeyboardInterrupt), interruption_after(0.2):
        compiled(text, "f")
    assert child.returncode is None
    assert await_true(lambda: child.returncode == -signal.SIGKILL)
    assert call(compiled(text, "f"), 1.0) == 272.0


@pytest.mark.slow
def test_errors_count_where_nobody_waits_for_children():
    """Where SIGCHLD is ignored every child seems to have succeeded; a wrong text is refused nevertheless."""
    code = """
        import signal
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        from symbiont_jit import CandidateError
        from tests.backend.compiling import call, compiled
        try:
            compiled("double f(double x)\\n{\\n  return y;\\n}\\n", "f")
        except CandidateError as error:
            print(error.diagnostics[0].message)
        print(call(compiled("double f(double x)\\n{\\n  return x + 1.0;\\n}\\n", "f"), 1.0))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["use of undeclared identifier 'y'", "2.0"], done.stderr


def test_half_a_unit_is_not_compiled(monkeypatch):
    """A clang that does not read a whole unit in time is ended, and none of it becomes code."""
    text = "double f(double x)\n{\n  return x + 314.0;\n}\n"
    long = text + "static const long unread[] = {" + "7, " * 100_000 + "};\n"
    with pytest.raises(CandidateError):
        compiled(text.replace("314.0", "y"), "f")  # From now on a clang waits.
    (child,) = clang().waiting[-1:]
    monkeypatch.setattr(child_process, "TIMEOUT", 0.3)
    for waiting in clang().waiting:
        os.kill(waiting.pid, signal.SIGSTOP)
    with pytest.raises(CandidateError, match=r"compiling took longer than 0\.3 seconds"):
        compiled(long, "f")
    for waiting in clang().waiting:
        os.kill(waiting.pid, signal.SIGCONT)
    assert child.returncode == -signal.SIGKILL
    monkeypatch.undo()
    assert call(compiled(text, "f"), 1.0) == 315.0


def object_of(bitcode):
    """The object code of bitcode."""
    made = code_generators().generate(OBJECT, bitcode)
    assert isinstance(made, bytes), made
    return made


TEXTS = [
    "struct S { double a; int b; };\ndouble f(double x) { struct S s = {x, 2}; return s.a * s.b; }\n",
    "#define TWICE(a) ((a) + (a))\nstatic double g(double x) { return TWICE(x); }\ndouble f(double x) { return g(x); }\n",
    "struct S { int b; };\nstatic const double t[3] = {1, 2, 3};\ndouble f(double x) { return t[(int)x] + 1; }\n",
    "double f(double x)\n{\n#pragma STDC FP_CONTRACT ON\n  return x * x + x;\n}\n",
    "enum E { ONE = 1, TWO };\ntypedef double T;\nT f(T x) { return x + TWO; }\n",
    "#define ONE 5\ndouble f(double x) { return x * x + ONE; }\n",
]


@pytest.mark.slow
def test_what_a_process_compiled_before_changes_nothing():
    """Types, macros, pragmas and numbers of one unit are gone in the next; its code is what a fresh process makes."""
    units = [Unit(text, ("f",)).c_text() for text in TEXTS]
    end_compilers()
    together = [object_of(clang().lower(unit)) for unit in units * 3]
    alone = []
    for unit in units:
        end_compilers()
        alone.append(object_of(clang().lower(unit)))
    assert together == alone * 3


def test_one_process_compiles_many_units():
    """A process is used until its inputs are used up, and another one waits by then."""
    end_compilers()
    seen = []
    for number in range(UNITS + 1):
        clang().lower(f"double f(double x) {{ return x + {number}; }}\n")
        seen.append(clang().waiting[-1].pid)
    assert len(set(seen)) == 2
    assert seen.count(seen[0]) == UNITS - 1


def test_an_error_is_told_whole_whatever_was_compiled_before():
    """All findings come of a text that is wrong, and the next one is compiled."""
    text = "double f(double x) { return y + z; }\n"
    end_compilers()
    first = clang().lower(text)
    assert isinstance(clang().lower("double f(double x) { return x; }\n"), bytes)
    assert clang().lower(text) == first
    assert [found.column for found in first] == [29, 33]
    assert isinstance(clang().lower("double f(double x) { return x; }\n"), bytes)


@pytest.mark.slow
def test_where_descriptors_are_short_a_process_compiles_one_unit(monkeypatch):
    """A program with few descriptors left has no room for a process that compiles many."""
    end_compilers()
    monkeypatch.setattr(clang_process, "WAITS", ())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir("/proc/self/fd")))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 16, hard))
        assert isinstance(clang().lower("double f(double x) { return x + 4711; }\n"), bytes)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_a_compiler_that_somebody_kills_costs_nothing():
    """What the system kills, because memory is short, says nothing of the unit: another process gets it."""
    text = "double f(double x)\n{\n  return x + 315;\n}\n"
    clang().prewarm(BITCODE, (), 1)
    for waiting in clang().waiting:
        os.kill(waiting.pid, signal.SIGSTOP)
        threading.Timer(0.3, os.kill, (waiting.pid, signal.SIGKILL)).start()
    assert call(compiled(text, "f"), 1.0) == 316.0


def test_a_compiler_without_input_is_no_fault_of_the_text():
    """Where /proc is not mounted clang finds no standard input, and the error says so."""
    missing = b"error: no such file or directory: '/dev/stdin'"
    with pytest.raises(ToolchainError, match="mount /proc"):
        require_input(missing)


HOSTILE = {
    "dies_at_once": "kill -9 $$",
    "ends_at_once": "exit 0",
    "ignores_its_input": 'case "$*" in *-###*) exit 0 ;; esac; exec {clang} "$@" </dev/null',
    "writes_without_end": "exec yes",
    "an_odd_quote": 'echo \'"-cc1" "\' >&2; exec {clang} "$@"',
    "a_line_of_many_digits": "printf 'a.c:%05000d:1: error: what\\n' 0 >&2; exit 1",
    "leaves_its_group": 'case "$*" in *-###*) exit 0 ;; esac; '
    "exec {python} -c 'import os, time; os.setpgid(0, os.getpgid(os.getppid())); time.sleep(60)'",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_compiler_that_misbehaves_is_told_of(kind, tmp_path):
    """Whatever stands in clang's place, a compilation ends in a clear error, and the process lives."""
    zig = toolchain._zig_binary()
    script = tmp_path / "clang"
    text = HOSTILE[kind].format(clang=f"{zig} clang", python=sys.executable)
    version = f'case "$*" in *--version*) exec {zig} clang --version ;; esac'
    script.write_text(f"#!/bin/sh\n{version}\n{text}\n")
    script.chmod(0o755)
    code = """
        import signal
        from symbiont_jit.backend import child_process, objects
        from symbiont_jit.backend.unit import Unit
        from symbiont_jit import CandidateError, ToolchainError
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        child_process.TIMEOUT = 1.0
        long = "/* " + "x" * 200_000 + " */"
        try:
            objects.compile_unit(Unit(long + "double f(double x)\\n{\\n  return x;\\n}\\n", ("f",)))
        except (CandidateError, ToolchainError) as error:
            print(type(error).__name__)
        else:
            print("compiled")
    """
    environment = {**os.environ, "SYMBIONT_JIT_CLANG": str(script)}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    expected = {"an_odd_quote": ["compiled\n"]}.get(kind, ["CandidateError\n", "ToolchainError\n"])
    assert done.stdout in expected
