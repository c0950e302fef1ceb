"""What type checkers say of code that uses the package: the README's example and every way to annotate."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT, snippets

DECLARED = '''
import numpy as np
import symbiont_jit as sj
from symbiont_jit import Array, InOut, Out, Ref, c128, evolvable, f32, f64, i64, u8


@sj.record
class Candle:
    open: f64
    sides: Array[f32, 3]


@evolvable
def scale(
    x: Array[f64, "m", "n"], bytes: Array[u8, "k"], out: Out[f64, "m", "n"], sums: InOut[i64, "m"], count: Ref[i64]
) -> None:
    """Every kind of parameter."""
    for i in range(x.shape[0]):
        out[i, 0] = x[i, 0]
        sums[i] += 1
    count[()] = x.shape[0]


@evolvable(profile="release")
def first(candles: Array[Candle, "n"], one: Candle, w: c128) -> f64:
    return one.open


number: int = scale.active.number if scale.active is not None else -1
group = sj.Group()


@group.evolvable
def twice(x: f64) -> f64:
    return 2 * x


print(scale(np.ones((2, 2)), np.ones(1, np.uint8), np.ones((2, 2)), np.ones(2, np.int64), np.zeros(1, np.int64)))
'''
#: What neither program imports, and no type that they see is made of, is not read: that would take twice as long.
MYPY = """
[mypy]
strict = True
ignore_missing_imports = True
disallow_untyped_decorators = False

[mypy-httpx.*,openai.*,pydantic.*,pydantic_core.*,rich.*,typer.*]
follow_imports = skip
"""
README = "\n".join(snippets(ROOT / "README.md", "python"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both programs, and in the same folder how they are checked: by pyright as usual, by mypy as strictly as it can."""
    path = tmp_path_factory.mktemp("typed")
    (path / "declared.py").write_text(DECLARED)
    (path / "readme.py").write_text(README)
    (path / "mypy.ini").write_text(MYPY)
    (path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    return path


def require_content(folder, *command):
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_is_content(folder):
    """Strict mypy finds nothing; Numba has no types, so its imports and decorators are left out."""
    require_content(folder, "mypy", "declared.py", "readme.py")


@pytest.mark.slow
def test_pyright_is_content(folder):
    """Pyright, at its standard level, finds nothing."""
    require_content(folder, "basedpyright", "--pythonpath", sys.executable)
