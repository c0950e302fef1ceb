"""Broken and hostile candidates and metrics, all evaluated in this one process, which stays as it was.

The candidates are the files of `search/` and the rows of `generated.py`; the metrics are those of `metrics.py`.
"""

import gc
import hashlib
import itertools
import os
import resource
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from symbiont_jit import Evolution, Status
from symbiont_jit.backend.objects import end_compilers
from symbiont_jit.isolate.sandbox import filter_problem
from tests.attacks.files import rows
from tests.attacks.generated import GENERATED
from tests.attacks.metrics import HARMLESS, METRICS, OUTSIDE, PARENT, number_of
from tests.attacks.targets import HONEST, METRIC_OF, body, dot, trick

PANICKED, WRONG, VALID = Status.PANICKED, Status.WRONG, Status.VALID
DEADLINE = 1.0
pytestmark = pytest.mark.slow


def evaluate_trick(search, name):
    """The evaluation of a candidate whose metric plays a trick."""
    return search["trick"].evaluate(body("trick", f"return {number_of(name)};"))


# -- the process ------------------------------------------------------------------------------------------------------


def descriptors():
    """What is open: names of files, and how many pipes and sockets there are."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # the listing's own
            continue
        found.append(target.partition("[")[0] if target.startswith(("pipe:", "socket:", "anon_inode:")) else target)
    return sorted(found)


def children():
    """The processes that this one has."""
    return sorted({int(n) for path in Path("/proc/self/task").glob("*/children") for n in path.read_text().split()})


def state():
    """What no candidate and no metric may change."""
    # How many processes wait for a unit, each with its pipes, depends on the tests before.
    end_compilers()
    gc.collect()
    limits = [n for n in dir(resource) if n.startswith("RLIMIT_")]
    masks = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(("Sig", "Shd"))]
    return {
        "handlers": {n: signal.getsignal(n) for n in signal.valid_signals()},
        "masks": [line for line in masks if not line.startswith("SigQ")],
        "timers": signal.getitimer(signal.ITIMER_REAL),
        "descriptors": descriptors(),
        "environment": {n: v for n, v in os.environ.items() if n != "PYTEST_CURRENT_TEST"},
        "directory": os.getcwd(),
        "threads": sorted(t.name for t in threading.enumerate()),
        "tasks": len(os.listdir("/proc/self/task")),
        "limits": {n: resource.getrlimit(getattr(resource, n)) for n in limits},
        "recursion": sys.getrecursionlimit(),
        "floating point": np.geterr(),
        "children": children(),
    }


def canary():
    """A mebibyte of a pattern that begins a page, and its checksum."""
    room = np.zeros((1 << 20) + resource.getpagesize(), np.uint8)
    start = -room.ctypes.data % resource.getpagesize()
    page = room[start : start + (1 << 20)]
    page[:] = np.arange(1 << 20) % 251
    return page, hashlib.sha256(page).hexdigest()


@pytest.fixture(scope="module")
def search():
    """One search for each kernel; they end with the module."""
    opened = {
        key: Evolution(kernel, metric=metric, workers=2, deadline=DEADLINE)
        for key, (kernel, metric) in METRIC_OF.items()
    }
    yield opened
    for evolution in opened.values():
        evolution.close()


@pytest.fixture(scope="module")
def before(search):
    """The process after one honest evaluation of each kernel, and the evaluations."""
    first = {key: evaluate_honest(search, key) for key in HONEST}
    other_flags = body("dot", "double big[16384]; big[n] = 1; return big[0];")
    require_contained(search["dot"].evaluate(other_flags), WRONG)
    for evolution in search.values():
        evolution.close()
    found = state(), first, canary()
    yield found
    require_unchanged(search, found)


def require_unchanged(search, before):
    """Without workers, signals, descriptors, environment, limits and memory are as before."""
    for evolution in search.values():
        evolution.close()
    was, _, (page, checksum) = before
    now = state()
    # A thread of a test before may have ended meanwhile.
    assert now.pop("tasks") <= was["tasks"]
    assert {name: now[name] for name in now if now[name] != was[name]} == {}
    assert hashlib.sha256(page).hexdigest() == checksum
    assert page.ctypes.data % resource.getpagesize() == 0


@pytest.fixture(scope="module")
def codes():
    """The object code of each row that got so far."""
    return {}


def evaluate_honest(search, key):
    """What is said of an honest candidate, which has never been seen before; scores that are times are left out."""
    evaluation = search[key].evaluate(body(key, HONEST[key]))
    scores = dict(evaluation.scores) if key == "trick" else list(evaluation.scores)
    return evaluation.status, scores, evaluation.diagnostics, evaluation.panic


def require_contained(evaluation, status, said=""):
    """An ordinary evaluation has no score, and a message that says something; returns the first finding."""
    assert evaluation.status is status, str(evaluation)
    assert (evaluation.score, dict(evaluation.scores)) == (None, {})
    assert evaluation.diagnostics[0].message.strip()
    assert said in evaluation.diagnostics[0].message
    assert len(str(evaluation)) < 20_000
    return evaluation.diagnostics[0]


# -- candidates -------------------------------------------------------------------------------------------------------

ROWS = sorted([*rows(), *GENERATED], key=lambda row: (row.group, row.name))


def cases():
    """Every candidate, and after each group a row with the kernels whose workers have had it, for honest ones."""
    for group, found in itertools.groupby(ROWS, key=lambda row: row.group):
        rows = list(found)
        yield from (pytest.param(row, id=f"{group}/{row.name}") for row in rows)
        yield pytest.param(sorted({row.kernel for row in rows}), id=f"honest after {group}")


@pytest.mark.parametrize("row", list(cases()))
def test_candidates(search, before, codes, row):
    """Every candidate gets the status, the rule and the line that its file says; honest ones pass after each group."""
    if isinstance(row, list):
        assert [evaluate_honest(search, key) for key in row] == [before[1][key] for key in row]
        return
    evaluation = search[row.kernel].evaluate(row.text)
    found = require_contained(evaluation, row.status)
    assert (found.rule, found.line) == (row.rule, row.line), str(evaluation)
    assert row.line == 0 or found.column > 0
    assert row.line <= evaluation.source.count("\n") + 1
    if evaluation.code:
        assert codes.setdefault(evaluation.code, row.name) == row.name
    panic = evaluation.panic
    assert (panic is None) is (row.status is not PANICKED)
    if panic is not None:
        assert (panic.kind, panic.message, panic.line, panic.column) == (
            row.rule,
            found.message,
            row.line,
            found.column,
        )
        assert panic.source == evaluation.source
        assert str(panic).splitlines()[-1].strip() == "^"


# -- metrics ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METRICS)
def test_metrics(search, before, name):
    """Whatever a metric does, it is the candidate's evaluation, with a message that says what happened."""
    _, status, said = METRICS[name]
    require_contained(evaluate_trick(search, name), status, said)


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_metrics(search, before, name):
    """A metric that spoils its own process only, and answers, has answered."""
    evaluation = evaluate_trick(search, name)
    assert (evaluation.status, evaluation.score) == (VALID, 1.0)


@pytest.mark.parametrize("name", OUTSIDE)
def test_metrics_that_reach_outside(search, before, name):
    """With the filter, what would reach outside is refused with EPERM."""
    if filter_problem() is not None:
        pytest.skip("there is no filter of system calls")
    require_contained(evaluate_trick(search, name), WRONG, "PermissionError: [Errno 1]")
    assert not Path(f"/tmp/symbiont-hostile-{PARENT}").exists()


def test_honest_candidates_after_the_metrics(search, before):
    """After all of them, honest candidates are judged as in the beginning."""
    assert {key: evaluate_honest(search, key) for key in HONEST} == before[1]
    assert {row[0] for row in before[1].values()} == {VALID}
    assert before[1]["trick"][1] == {"score": 2.0}


def test_the_process_is_as_it_was(search, before):
    """What was tried so far left no trace; the fixture looks once more after the last test of each process."""
    require_unchanged(search, before)


def test_the_kernels_are_as_they_were(search, before):
    """Evaluating activates nothing: the kernels still run their Python bodies."""
    for kernel, _ in METRIC_OF.values():
        assert (kernel.active.number, len(kernel.revisions)) == (0, 1)
    assert trick(1.0) == 2.0
    assert dot(np.ones(3), np.ones(3)) == 3.0
