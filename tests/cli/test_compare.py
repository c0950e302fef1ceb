"""`symbiont-jit compare`: a table, JSON, and what is missing."""

import json
import subprocess
import sys

import pytest

from tests.cli.forked import run_in_fork
from tests.kernels import DOT, SORT

pytestmark = pytest.mark.slow

MODULE = """
from numba import float64 as f64
from symbiont_jit import Array, evolvable

@evolvable
def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * y[i]
    return s

def inputs(rng):
    return rng.random(100), rng.random(100)
"""


@pytest.fixture
def folder(tmp_path):
    """A module with a kernel, and C files."""
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "a.c").write_text(DOT)
    (tmp_path / "b.c").write_text(DOT.replace("s += x[i] * y[i]", "s = s + y[i] * x[i]"))
    (tmp_path / "other.c").write_text(SORT)
    return tmp_path


def run(folder, *words):
    command = [sys.executable, "-m", "symbiont_jit", "compare", *words, "--seconds", "0.05"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_table(folder):
    """The kernel comes first; when piped, each row is one line without colours."""
    done = run(folder, "mine.py:dot", "a.c", "b.c")
    assert (done.returncode, done.stderr) == (0, "")
    rows = done.stdout.splitlines()
    assert [row.split()[0] for row in rows[1:4]] == ["dot", "a.c", "b.c"]
    assert "\x1b" not in done.stdout


def test_json(folder):
    """It is one object, with a row for each variant."""
    done = run_in_fork("compare", "mine.py:dot", "a.c", "--json", "--seconds", "0.05", cwd=folder)
    assert [row["name"] for row in json.loads(done.stdout)["rows"]] == ["dot", "a.c"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mine.py:dot", "nowhere.c"), "there is no file nowhere.c"),
        (("mine.py:cross", "a.c"), "has no kernel 'cross'"),
        (("mine.py", "a.c"), "is not of the form FILE.py:KERNEL"),
        (("mine.py:dot", "other.c"), "different signatures"),
    ],
)
def test_what_is_missing(folder, words, said):
    """It is said in one sentence, with exit code 2."""
    done = run_in_fork("compare", *words, cwd=folder)
    assert done.returncode == 2
    assert said in (done.stdout + done.stderr).replace("\n", " ")
