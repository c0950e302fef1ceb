"""The command line, as a person types it."""

import subprocess
import sys
import textwrap

import pytest

from symbiont_jit.cli import COMMANDS
from symbiont_jit.isolate.sandbox import filter_problem
from tests.cli.forked import run_in_fork


def run(*words, cwd=None, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-m", "symbiont_jit", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **environment},
        check=False,
    )


KERNEL = """
import numpy as np
from numba import float64 as f64
from symbiont_jit import Array, evolvable

@evolvable(source="double total(int64_t n, const double *x) { double s = 0; for (int64_t i = 0; i < n; i++) s += x[i]; return s; }")
def total(x: Array[f64, "n"]) -> f64:
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i]
    return s
"""


@pytest.fixture
def file(tmp_path):
    """A user's module with a kernel and inputs."""
    path = tmp_path / "mine.py"
    path.write_text(KERNEL + "\ndef inputs(rng):\n    return (rng.random(1000),)\n")
    return path


@pytest.mark.slow
def test_doctor():
    """It prints every version, where clang came from, and that a kernel ran."""
    done = run("doctor")
    assert "reaches nobody" in done.stdout or filter_problem() is not None
    assert done.returncode == 0, done.stdout + done.stderr
    for word in (
        "Python",
        "numba",
        "LLVM in llvmlite",
        "clang",
        "ziglang wheel",
        "CPU features",
        "compiled, called",
        "an endless loop was ended",
        "candidates in",
        "all is well",
    ):
        assert word in done.stdout


@pytest.mark.slow
def test_doctor_without_clang():
    """Without a usable clang it says what to install, and fails."""
    done = run("doctor", SYMBIONT_JIT_CLANG="/nowhere/clang")
    assert done.returncode == 1
    assert "pip install 'ziglang" in done.stdout


@pytest.mark.slow
def test_evolve(file, tmp_path):
    """A kernel of a user's file is evolved; the best source is shown and written."""
    out = tmp_path / "best.c"
    done = run("evolve", f"{file}:total", "--candidates", "4", "--seconds", "60", "--output", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "evolving double total(int64_t n, const double x[n])" in done.stdout
    assert "of 4 candidates" in done.stdout
    assert "speed-up over the Numba default" in done.stdout
    assert out.read_text().startswith("double total(")


@pytest.mark.slow
def test_evolve_a_plain_function(tmp_path):
    """A function that Numba has compiled is a kernel, whose C the search begins with."""
    text = """
        import numpy as np
        from numba import njit
        @njit
        def scaled(x, factor):
            return x * factor + 1
        scaled(np.ones(3), 2.0)
        def inputs(rng):
            return rng.random(64), 0.5
    """
    (tmp_path / "plain.py").write_text(textwrap.dedent(text))
    done = run("evolve", "plain.py:scaled", "--candidates", "2", "--seconds", "60", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "evolving void scaled(int64_t x_0, const double x[x_0], double factor, double result[x_0])" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere.py:total", "there is no file nowhere.py"),
        ("mine.py", "is not of the form FILE.py:KERNEL"),
        ("mine.py:sum", "has no kernel 'sum'; it has: total"),
    ],
)
def test_evolve_used_wrongly(file, target, said):
    """Wrong words give a message that says what is there, and no traceback."""
    done = run_in_fork("evolve", target, cwd=file.parent)
    assert done.returncode == 2
    assert said in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_evolve_without_inputs(tmp_path):
    """A file without `inputs` is told how to write it."""
    (tmp_path / "bare.py").write_text(KERNEL)
    done = run_in_fork("evolve", "bare.py:total", cwd=tmp_path)
    assert done.returncode == 2
    assert "def inputs(rng)" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_a_candidate_error_in_the_file_is_readable(tmp_path):
    """A source that is not acceptable is shown with its line, not as a traceback."""
    (tmp_path / "bad.py").write_text(textwrap.dedent(KERNEL).replace("s += x[i];", "s += system(0);"))
    done = run_in_fork("evolve", "bad.py:total", cwd=tmp_path)
    assert done.returncode == 1
    assert "'system' is not a function you may call" in done.stdout


@pytest.mark.slow
def test_demo():
    """The demonstration runs, swaps at least once under the running loop, and measures what it promises."""
    done = run("demo", "--seconds", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    for word in (
        "swapped in",
        "the running loop",
        "calls/s",
        "speed-up over the Numba default",
        "numpy.matmul on one thread",
    ):
        assert word in done.stdout


def test_every_command_is_in_a_module_of_its_name():
    """A command is found where its name says."""
    assert [c.__module__ for c in COMMANDS] == [f"symbiont_jit.cli.{c.__name__}" for c in COMMANDS]
