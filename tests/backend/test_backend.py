"""From canonical C to an address: clang, object code, the cache, the loader."""

import ctypes
import gc
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from numba import float64 as f64

from symbiont_jit import CandidateError, ToolchainError, evolvable
from symbiont_jit.backend import cache, toolchain
from symbiont_jit.backend import clang as clang_module
from symbiont_jit.backend.cache import cache_directory, forget_cached
from symbiont_jit.backend.clang import BITCODE, clang
from symbiont_jit.backend.elf import symbols
from symbiont_jit.backend.loader import load
from symbiont_jit.backend.objects import bitcode_of, compile_unit
from symbiont_jit.backend.unit import Unit
from tests.concurrency import await_true, interruption_after

SQUARE = "double square(double x)\n{\n  return x * x;\n}\n"


def compiled(text, *entries, **about):
    """Object code of a text with these entries."""
    return compile_unit(Unit(text, entries, **about))


def call(code, x):
    """Load, call once, and keep the code loaded meanwhile."""
    loaded = load(code)
    result = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(loaded.addresses[0])(x)
    loaded.close()
    return result


@pytest.mark.usefixtures("loader")
def test_object_code_is_small_picklable_and_runs():
    """A kernel's object code is bytes of about a KiB that can be sent and loaded elsewhere."""
    code = pickle.loads(pickle.dumps(compiled(SQUARE, "square")))
    assert len(code.data) < 4096
    assert call(code, 3.0) == 9.0


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
def test_a_helper_named_like_a_library_function_is_its_own():
    """`qsort` and `strlen` of a candidate are called, not those of the process."""
    text = (
        "static double qsort(double x)\n{\n  return x + 1;\n}\n"
        "static int strlen(const char *s)\n{\n  return 40;\n}\n"
        'double f(double x)\n{\n  return qsort(x) + strlen("abc");\n}\n'
    )
    code = compiled(text, "f")
    assert symbols(code.data) == ({"f"}, set())
    assert call(code, 1.0) == 42.0


@pytest.mark.usefixtures("loader")
def test_two_revisions_may_have_the_same_names():
    """The same entry and helper names in two objects never meet."""
    first, second = (
        compiled(
            f"static double h(double x)\n{{\n  return x * {k};\n}}\ndouble f(double x)\n{{\n  return h(x);\n}}\n", "f"
        )
        for k in (2, 3)
    )
    loaded = [load(first), load(second)]
    functions = [ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(x.addresses[0]) for x in loaded]
    assert [f(1.0) for f in functions] == [2.0, 3.0]


def test_a_symbol_of_the_process_is_not_reachable():
    """Object code that needs more than the table's functions is refused before it is loaded."""
    text = "extern int getpid(void);\ndouble f(double x)\n{\n  return getpid();\n}\n"
    with pytest.raises(CandidateError, match="needs 'getpid'"):
        compiled(text, "f")


@pytest.mark.usefixtures("loader")
def test_library_functions_are_the_librarys():
    """A candidate's `erf` and `fmod` are libm's."""
    import math

    code = compiled("double f(double x)\n{\n  return erf(x) + fmod(7.5, x);\n}\n", "f")
    assert call(code, 2.0) == math.erf(2.0) + math.fmod(7.5, 2.0)


@pytest.mark.usefixtures("loader")
def test_contraction_is_off_by_default():
    """`a * b + c` rounds twice, as in Numba and NumPy."""
    text = "double f(double x)\n{\n  return x * x - 1.0000000000000002;\n}\n"
    x = 1.0 + 2.0**-52
    assert call(compiled(text, "f"), x) == x * x - 1.0000000000000002


def test_equal_text_is_compiled_once(monkeypatch):
    """The cache answers for the same text, flags and profile, and only then."""
    forget_cached()
    first = compiled(SQUARE, "square")
    monkeypatch.setattr(type(clang()), "lower", lambda *_: pytest.fail("compiled again"))
    assert compiled(SQUARE, "square") == first
    with pytest.raises(pytest.fail.Exception):
        compiled(SQUARE, "square", flags=("-O1",))


def test_a_cache_directory_serves_another_process(tmp_path):
    """Object code in a directory is found again, and a damaged file is a miss, not an error."""
    try:
        cache_directory(tmp_path)
        forget_cached()
        code = compiled(SQUARE, "square")
        (file,) = tmp_path.glob("*.o")
        forget_cached()
        assert cache.OBJECTS.get(code.key) == code.data
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        forget_cached()
        assert cache.OBJECTS.get(code.key) is None
        assert compiled(SQUARE, "square").data == code.data
    finally:
        cache_directory(None)


def test_bitcode_is_valid_for_llvmlite():
    """What clang writes can be parsed and verified by the LLVM in llvmlite."""
    import llvmlite.binding as llvm

    module = llvm.parse_bitcode(bitcode_of(Unit(SQUARE, ("square",))))
    module.verify()
    assert [f.name for f in module.functions] == ["square"]


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_closing_gives_the_memory_back():
    """Loading and closing an object a thousand times does not make the process grow."""

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    code = compiled(SQUARE, "square")
    for _ in range(600):
        load(code).close()
    gc.collect()
    before = resident()
    for _ in range(1000):
        load(code).close()
    gc.collect()
    assert resident() - before < 8 << 20


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


# -- the toolchain ----------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh_search():
    """Forget which clang was found, before and after."""
    toolchain.find_toolchain.cache_clear()
    yield
    toolchain.find_toolchain.cache_clear()


def fake_clang(folder, version):
    path = folder / "clang"
    path.write_text(f"#!/bin/sh\necho 'clang version {version}'\n")
    path.chmod(0o755)
    return path


def test_the_wheel_is_found_first(fresh_search, monkeypatch):
    """Without the variable the clang of the installed wheel is used."""
    monkeypatch.delenv(toolchain.VARIABLE, raising=False)
    found = toolchain.find_toolchain()
    assert found.origin == "ziglang wheel"
    assert found.version[0] <= toolchain.llvm_version()[0]


def test_the_variable_comes_before_the_wheel(fresh_search, monkeypatch, tmp_path):
    """SYMBIONT_JIT_CLANG names the clang to use."""
    monkeypatch.setenv(toolchain.VARIABLE, str(fake_clang(tmp_path, "17.0.6")))
    assert toolchain.find_toolchain().version == (17, 0, 6)
    assert toolchain.find_toolchain().origin == toolchain.VARIABLE


@pytest.mark.parametrize(
    ("version", "said"), [("99.0.0", "newer than llvmlite's LLVM"), ("?", "does not run or is no clang")]
)
def test_a_clang_that_does_not_fit_is_a_toolchain_error(fresh_search, monkeypatch, tmp_path, version, said):
    """A clang that is too new or none at all is refused, with what to install."""
    monkeypatch.setenv(toolchain.VARIABLE, str(fake_clang(tmp_path, version)))
    with pytest.raises(ToolchainError, match=said) as caught:
        toolchain.find_toolchain()
    assert "pip install 'ziglang" in str(caught.value)


def test_a_missing_clang_is_a_toolchain_error(fresh_search, monkeypatch, tmp_path):
    """Without a wheel and without clang on the path the error says what to install."""
    monkeypatch.delenv(toolchain.VARIABLE, raising=False)
    monkeypatch.setattr(toolchain, "_zig_binary", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="there is no ziglang package and no clang on the path"):
        toolchain.find_toolchain()


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
        from tests.backend.test_backend import call, compiled
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


@pytest.mark.parametrize("kind", ["static const", "const"])
def test_code_that_would_run_a_table_is_refused(kind):
    """The code generator calls some functions by itself, by their names, which might be those of a table."""
    text = f"{kind} uint64_t sincos[] = {{1, 2}};\ndouble k(double x) {{ return sin(x) + cos(x) + sincos[x > 0]; }}\n"
    with pytest.raises(CandidateError, match="the compiled code calls 'sincos', which is no function"):
        compile_unit(Unit(text, ("k",)))
