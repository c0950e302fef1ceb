"""Answers that are kept win nothing, and honest texts that rely on what inputs are lose nothing."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from numba import float64 as f64

from symbiont_jit import Array, Evolution, Out, Speedup, Status, evolvable
from symbiont_jit.evaluate import confirm, local
from symbiont_jit.evaluate.cases import EXPLORATIONS
from symbiont_jit.evaluate.local import LocalEvaluator
from symbiont_jit.isolate.child import longest, phase_of
from symbiont_jit.isolate.worker import Overdue, Worker
from tests import kernels
from tests.kernels import DOT_HEAD

pytestmark = pytest.mark.slow

#: What tells code without checks from code with them: a block that was freed is given again.
FAR = (
    "double *p = malloc(64); uintptr_t was = (uintptr_t)p; free(p); double *q = malloc(64); "
    "int64_t far = (uintptr_t)q == was ? 4096 : 0;"
)
FIXED = np.random.default_rng(5).random(4000)
MATRICES = np.random.default_rng(6).random((2, 30, 30))


@evolvable
def below(x: Array[f64, "n"], key: f64) -> f64:
    s = 0.0
    for i in range(x.shape[0]):
        if x[i] < key:
            s += 1
    return s


@evolvable
def largest(x: Array[f64, "n"]) -> f64:
    s = x[0]
    for i in range(x.shape[0]):
        s = max(s, x[i])
    return s


@evolvable
def form(a: Array[f64, "n", "n"], x: Array[f64, "n"]) -> f64:
    s = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[0]):
            s += a[i, j] * x[i] * x[j]
    return s


@evolvable
def bins(x: Array[f64, "n"], low: f64, high: f64, h: Out[f64, "m"]) -> None:
    m = h.shape[0]
    for j in range(m):
        h[j] = 0.0
    for i in range(x.shape[0]):
        h[int((x[i] - low) / (high - low) * m)] += 1.0


@evolvable
def share(x: Array[f64, "n"], a: f64) -> f64:
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * x[i]
    return a / s


def sorted_numbers(rng):
    return np.sort(rng.random(1000)), rng.random()


def symmetric(rng):
    a = rng.random((30, 30))
    return a + a.T, rng.random(30)


def numbers_between(rng):
    low = rng.random()
    high = low + 1 + rng.random()
    return low + (high - low) * 0.999 * rng.random(500), low, high, np.zeros(32)


HONEST = {
    "sorted": (
        below,
        sorted_numbers,
        "int64_t a = 0, b = n; while (a < b) { int64_t c = (a + b) / 2; if (x[c] < key) a = c + 1; else b = c; } return a;",
    ),
    "sorted, one of them": (largest, lambda rng: sorted_numbers(rng)[:1], "return x[n - 1];"),
    "symmetric": (
        form,
        symmetric,
        "double s = 0, d = 0; for (int64_t i = 0; i < n; i++) { d += a[i][i] * x[i] * x[i];"
        " for (int64_t j = 0; j < i; j++) s += a[i][j] * x[i] * x[j]; } return d + 2 * s;",
    ),
    "between bounds": (
        bins,
        numbers_between,
        "for (int64_t j = 0; j < m; j++) h[j] = 0;"
        " for (int64_t i = 0; i < n; i++) h[(int64_t)((x[i] - low) / (high - low) * m)] += 1;",
    ),
}


@pytest.mark.parametrize("is_listed", [False, True], ids=["drawn", "listed"])
@pytest.mark.parametrize("name", HONEST)
def test_what_inputs_are_may_be_relied_on(name, is_listed, monkeypatch):
    """A text that needs sorted, symmetric or bounded numbers is valid, in a search and at its end."""
    kernel, inputs, body = HONEST[name]
    rng = np.random.default_rng(3)
    given = [inputs(rng) for _ in range(2)] if is_listed else inputs
    monkeypatch.setattr(confirm, "SECONDS", 0.15)  # How fast it is does not matter here.
    with Evolution(kernel, metric=Speedup(given)) as search:
        found = search.evaluate(f"{kernel.c_prototype} {{ {body} }}")
        assert found.is_valid, str(found)
        (again,) = search._evaluator.confirm([found.source])
        assert again.is_valid, str(again)


def test_arrays_of_nothing_among_others():
    """Where some of the arrays that are timed are empty, there is nothing to exchange in these, and no fault."""
    body = "double s = x[0]; for (int64_t i = 1; i < n; i++) s = x[i] > s ? x[i] : s; return s;"
    given = [(np.arange(5.0),), (np.ones(1),), (np.arange(90.0),)]
    with Evolution(largest, metric=Speedup(given)) as search:
        assert search.evaluate(f"{largest.c_prototype} {{ {body} }}").is_valid
    total = evolvable(kernels.total)
    empty = [(np.ones(100),), (np.ones(0),), (np.arange(5.0),)]
    with Evolution(total, metric=Speedup(empty)) as search:
        assert search.evaluate(kernels.TOTAL).is_valid


def test_what_is_kept_of_arrays_that_are_always_the_same_is_stale():
    """Where only a number is drawn, what was kept of the array is wrong for another array at the same address."""
    body = f"{FAR} if (far && q[far] == x[0]) return a / q[far + 1];"
    body += (
        " double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * x[i]; if (far) { q[far] = x[0]; q[far + 1] = s; }"
    )
    with Evolution(share, metric=Speedup(lambda rng: (FIXED, rng.random()))) as search:
        found = search.evaluate(f"{share.c_prototype} {{ {body} return a / s; }}")
    assert found.status is Status.WRONG
    assert "the answer of other arguments" in str(found)


@pytest.mark.parametrize(
    "inputs",
    [[(*MATRICES, np.zeros((30, 30)))], lambda rng: (*MATRICES, np.zeros((30, 30)))],
    ids=["a list of one", "drawn, and always the same"],
)
def test_answers_known_by_about_what_they_are_of_win_nothing(inputs):
    """A key that forgives some units in the last place is no help for numbers that were moved by more than that."""
    key = (
        "double u = 0, v = 0; for (int64_t i = 0; i < n * k; i++) u += a[i / k][i % k] * (i + 1);"
        " for (int64_t i = 0; i < k * m; i++) v += b[i / m][i % m] * (i + 1);"
    )
    look = (
        "if (far && fabs(q[far] - u) < 1e-11 * u && fabs(q[far + 1] - v) < 1e-11 * v)"
        " { for (int64_t i = 0; i < n * m; i++) c[i / m][i % m] = q[far + 2 + i]; return; }"
    )
    work = (
        "for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) { double s = 0;"
        " for (int64_t h = 0; h < k; h++) s += a[i][h] * b[h][j]; c[i][j] = s; }"
    )
    keep = (
        "if (far) { q[far] = u; q[far + 1] = v; for (int64_t i = 0; i < n * m; i++) q[far + 2 + i] = c[i / m][i % m]; }"
    )
    kernel = evolvable(kernels.matmul)
    with Evolution(kernel, metric=Speedup(inputs)) as search:
        found = search.evaluate(f"{kernels.MATMUL_HEAD} {{ {FAR} {key} {look} {work} {keep} }}")
    assert found.status is Status.WRONG or found.score < 1.3, str(found)


@pytest.fixture
def lying(monkeypatch):
    """An evaluator whose workers say at their end that they were exploring, and what they were asked, for how long.

    Each takes the share of its time that `lying.share` says.
    """
    clock, asked = [0.0], []

    def ask(worker, request, deadline, most):
        asked.append((request.checked.canonical.text, request.explorations, most))
        clock[0] += lying.share * most
        return Overdue(most, request.explorations[0] if request.explorations else "working")

    monkeypatch.setattr(Worker, "ask", ask)
    monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=lambda: clock[0], perf_counter=time.perf_counter))
    evaluator = LocalEvaluator(evolvable(kernels.dot), lambda kernel: kernel(np.ones(3), np.ones(3)), deadline=2.0)
    lying = SimpleNamespace(evaluator=evaluator, asked=asked, share=0.0)
    yield lying
    evaluator.pool.close()


def test_no_candidate_ends_an_exploration_for_others(lying):
    """What a worker says of where it was when it ended is believed for the text that it had, and for no other one."""
    for number in range(6):
        found = lying.evaluator.evaluate(f"{DOT_HEAD} {{ return {number}; }}")
        assert found.status is Status.TIMED_OUT
    expected = [EXPLORATIONS[skipped:] for skipped in range(len(EXPLORATIONS) + 1)]
    assert [explorations for _, explorations, _ in lying.asked] == expected * 6


def test_all_attempts_at_a_candidate_have_the_time_of_one(lying):
    """A worker that has stopped the clock of its deadline, and lies about where it was, gets no more time by that."""
    lying.share = 1.0
    assert lying.evaluator.evaluate(f"{DOT_HEAD} {{ return 0; }}").status is Status.TIMED_OUT
    assert [most for _, _, most in lying.asked] == [longest(2.0)]
    lying.asked.clear()
    lying.share = 0.5
    assert lying.evaluator.evaluate(f"{DOT_HEAD} {{ return 1; }}").status is Status.TIMED_OUT
    assert [most for _, _, most in lying.asked] == [longest(2.0) * part for part in (1.0, 0.5, 0.25)]


def test_a_phase_ends(monkeypatch):
    """After an exploration, also one that raised, a child does what it did before, so a candidate's end is its own."""
    from symbiont_jit.isolate import child

    words = bytearray(child.MAX_PHASE)
    monkeypatch.setattr(child, "_OWN_PHASE", [words])
    child.enter_phase("measuring it")
    with phase_of("exploring"):
        assert bytes(words).rstrip(b"\0") == b"exploring"
    assert bytes(words).rstrip(b"\0") == b"measuring it"
    with pytest.raises(ValueError, match="no number"), phase_of("exploring"):
        raise ValueError("no number")
    assert bytes(words).rstrip(b"\0") == b"measuring it"
