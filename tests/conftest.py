"""Fixtures of several folders: new kernels of `tests.kernels`, and arguments for them."""

import _imp
import gc
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numba import float64 as f64

from symbiont_jit import evolvable
from symbiont_jit.backend.relocate import CannotLink
from symbiont_jit.evaluate import confirm, unseen
from symbiont_jit.evaluate.checker import Effort
from symbiont_jit.kernel import Kernel
from symbiont_jit.search import ending
from symbiont_jit.signature import SCALARS, Param, Signature
from tests import kernels

# Modules beside tests whose assertions show their values, too.
pytest.register_assert_rewrite("tests.signature.values", "tests.llm.replies.rows", "tests.propose.transform.applying")

# Hypothesis asserts on its own how long an example takes and how fast examples come, which a busy machine decides. A run
# says something about the commit, so a test draws the same examples each time; `--hypothesis-profile random` draws others.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("no clock", settings.get_profile("random"), derandomize=True)
settings.load_profile("no clock")

#: `make quick` takes every eighth row of a table.
ROWS = 8


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark as slow what `make quick` leaves out of a table, before pytest looks at the marks."""
    tables = [item for item in items if item.get_closest_marker("table")]
    for _, rows in itertools.groupby(tables, key=lambda item: (item.path, item.originalname)):
        for number, item in enumerate(rows):
            if number % ROWS:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module", autouse=True)
def frozen_heap():
    """What the modules before have left is out of the collector's sight, or a collection would take a second at last."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def imports_are_free():
    """No test leaves the lock of imports held, as an exception does that comes in the middle of one.

    Whoever imports in another thread afterwards would wait for ever.
    """
    yield
    assert not _imp.lock_held()


@pytest.fixture
def dot():
    """A kernel with a Python body and nothing else."""
    return evolvable(kernels.dot)


@pytest.fixture
def matmul():
    """A kernel with a Python body and a C source."""
    return evolvable(source=kernels.MATMUL)(kernels.matmul)


@pytest.fixture
def sort():
    """A kernel that changes its argument, with a Python body and a C source."""
    return evolvable(source=kernels.SORT)(kernels.sort)


@pytest.fixture
def vectors():
    """Two vectors of a thousand numbers."""
    rng = np.random.default_rng(0)
    return rng.random(1000), rng.random(1000)


def pytest_addoption(parser):
    """`--lljit`: every test has LLVM's LLJIT in place of our linker."""
    parser.addoption("--lljit", action="store_true")


@pytest.fixture(autouse=True)
def chosen_loader(request, monkeypatch):
    """What `--lljit` chooses, for this process and those that it forks."""
    if request.config.getoption("--lljit"):
        monkeypatch.setattr("symbiont_jit.backend.loader.link", refuse_to_link)


@pytest.fixture(params=["linker", "lljit"])
def loader(request, monkeypatch):
    """Which way code comes into the process: our linker's, or LLVM's LLJIT, as on other machines than x86-64."""
    if request.param == "lljit":
        monkeypatch.setattr("symbiont_jit.backend.loader.link", refuse_to_link)
    return request.param


def refuse_to_link(*_):
    """Our linker, for an object of which it knows too little."""
    raise CannotLink("this machine is another one")


@pytest.fixture
def brief(monkeypatch):
    """Searches have their last word within tenths of a second, in this process and in those that it forks."""
    monkeypatch.setattr(confirm, "SECONDS", 0.15)
    monkeypatch.setattr(confirm, "LAST_CHECKS", Effort(3, 500, 0.03))
    monkeypatch.setattr(unseen, "SECONDS", 0.1)
    monkeypatch.setattr(ending, "LEAST_REDUCTION", 0.3)


@pytest.fixture
def step():
    """A kernel with the revisions 0 to 4, which add their number; 0 is active and none but it was called."""
    kernel = Kernel(Signature("step", (Param("x", SCALARS["int64"]),), SCALARS["int64"]))
    for number in range(5):
        kernel.compile(kernels.step_text(number))
    kernel.activate(0)
    return kernel


@pytest.fixture
def square():
    """A kernel of one number with a Python body."""

    @evolvable
    def square(x: f64) -> f64:
        return x * x

    return square
