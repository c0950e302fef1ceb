"""Units of C -> object code, in threads, without a disk, and not at all where LLVM cannot."""

import subprocess
import sys
import textwrap
import threading

import pytest

from symbiont_jit import CandidateError
from symbiont_jit.backend.child_process import Deadline
from symbiont_jit.backend.codegen import OBJECT, code_generators
from symbiont_jit.backend.objects import bitcode_of, compile_unit
from symbiont_jit.backend.unit import Unit
from tests.backend.compiling import call, compiled


@pytest.mark.usefixtures("loader")
def test_threads_may_compile_at_the_same_time():
    """Every thread gets the code of its own text."""
    results = {}

    def work(k):
        text = f"double f(double x)\n{{\n  return x + {k};\n}}\n"
        results[k] = call(compiled(text, "f"), 0.0)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: float(k) for k in range(8)}


@pytest.mark.slow
def test_a_compiler_bomb_is_a_finding():
    """Code that makes the compiler fail is the candidate's problem, with advice."""
    with pytest.raises(CandidateError) as caught:
        compiled(
            f"static const double big[{1 << 33}] = {{1}};\ndouble f(double x)\n{{\n  return big[(long)x];\n}}\n", "f"
        )
    assert caught.value.diagnostics[0].rule in ("compiler", "limit")


def test_both_compilers_keep_one_deadline():
    """A unit whose time is over is refused as too slow, whichever of the compilers would be next."""
    deadline = Deadline(0.0)
    unit = Unit("double f(double x)\n{\n  return x + 1618.0;\n}\n", ("f",))
    with pytest.raises(CandidateError, match="took longer than 0 seconds"):
        compile_unit(unit, deadline=deadline)
    (finding,) = code_generators().generate(OBJECT, bitcode_of(unit), deadline)
    assert finding.rule == "limit"


@pytest.mark.slow
def test_nothing_is_written_to_disk():
    """A process whose children cannot write a byte to any file, and that opens none for writing, compiles a kernel."""
    code = """
        import resource, sys
        opened = []
        def hook(event, args):
            named = event == "open" and not isinstance(args[0], int) and isinstance(args[1], str)
            if named and set(args[1]) & set("wxa+"):
                opened.append(args[0])
        import numba
        from symbiont_jit import evolvable
        from symbiont_jit.backend.clang import clang
        sys.addaudithook(hook)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        @evolvable(source="#define TWO 2\\ndouble f(double x) { return TWO * x; }")
        def f(x: float) -> float: ...
        assert f(21.0) == 42.0
        assert opened == [], opened
        print("compiled")
    """
    done = subprocess.run(
        [sys.executable, "-B", "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("compiled\n", 0), done.stderr


@pytest.mark.parametrize("kind", ["static const", "const"])
def test_code_that_would_run_a_table_is_refused(kind):
    """The code generator calls some functions by itself, by their names, which might be those of a table."""
    text = f"{kind} uint64_t sincos[] = {{1, 2}};\ndouble k(double x) {{ return sin(x) + cos(x) + sincos[x > 0]; }}\n"
    with pytest.raises(CandidateError, match="the compiled code calls 'sincos', which is no function"):
        compile_unit(Unit(text, ("k",)))
