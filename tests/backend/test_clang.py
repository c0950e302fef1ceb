"""Clang as a child process: its findings, its flags, and whatever stands in its place."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from numba import float64 as f64

from symbiont_jit import CandidateError, Diagnostic, ToolchainError, evolvable
from symbiont_jit.backend import clang as clang_module
from symbiont_jit.backend import toolchain
from symbiont_jit.backend.clang import BITCODE, _require_input, clang
from symbiont_jit.backend.objects import bitcode_of
from symbiont_jit.backend.unit import Unit
from symbiont_jit.errors import Stage
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
    monkeypatch.setattr(clang_module, "TIMEOUT", 1.0)
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
    monkeypatch.setattr(clang_module, "TIMEOUT", 0.3)
    for waiting in clang().waiting:
        os.kill(waiting.pid, signal.SIGSTOP)
    with pytest.raises(CandidateError, match="has not read its input within"):
        compiled(long, "f")
    for waiting in clang().waiting:
        os.kill(waiting.pid, signal.SIGCONT)
    assert child.returncode == -signal.SIGKILL
    monkeypatch.undo()
    assert call(compiled(text, "f"), 1.0) == 315.0


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
    missing = Diagnostic(Stage.LOWER, "compiler", "'/dev/stdin' file not found")
    with pytest.raises(ToolchainError, match="mount /proc"):
        _require_input([missing])


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
        from symbiont_jit.backend import clang, objects
        from symbiont_jit.backend.unit import Unit
        from symbiont_jit import CandidateError, ToolchainError
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        clang.TIMEOUT = 1.0
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
