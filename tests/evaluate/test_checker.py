"""Candidates against the reference: what a finding may tell, and that one candidate is not another's fault."""

import numpy as np
import pytest
from numba import boolean
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, Evolution, InOut, Out, Speedup, Status, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.checker import REDRAWN
from symbiont_jit.evaluate.local import LocalEvaluator


def is_timed(rng):
    """Whether inputs are drawn to be timed: with a number of the evaluator's own."""
    return rng.bit_generator.seed_seq.entropy[0] > 2**40


@evolvable
def pick(k: i64) -> i64:
    return k


PICK = "int64_t pick(int64_t k)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (
            "static const int64_t t[1] = {0}; return k > 5 ? t[k] : k;",
            Status.PANICKED,
            "a subscript outside of its array",
        ),
        ("return k > 5 ? k + 1 : k;", Status.WRONG, "the result differs"),
        ("return k - (k == 4);", Status.WRONG, "the result is 3, expected 4; it shows in pick(k=4)"),
    ],
    ids=["panic", "result", "not timed"],
)
def test_findings_about_timed_inputs_have_no_values(body, status, said):
    """They say what happened, and neither value nor place; findings about inputs that nobody times again say all."""
    inputs = lambda rng: (766541152 if is_timed(rng) else 4,)  # noqa: E731
    with Evolution(pick, metric=Speedup(inputs)) as search:
        found = search.evaluate(f"{PICK} {{ {body} }}")
    assert found.status is status
    assert found.diagnostics[0].message == said
    assert "7665" not in str(found)


@pytest.mark.slow
def test_a_list_of_inputs_is_no_secret():
    """Everybody may know it, so findings say where and what."""
    with Evolution(pick, metric=Speedup([(3,), (9,)])) as search:
        found = search.evaluate(f"{PICK} {{ return k > 5 ? k + 1 : k; }}")
    assert found.diagnostics[0].message == "the result is 10, expected 9; it shows in pick(k=9)"


def test_other_inputs_are_timed_after_some_candidates():
    """What can be learnt by trying, one bit a candidate, is out of date before it is much."""
    prepared = Speedup(lambda rng: (int(rng.integers(1 << 40)),)).prepare(target_of(pick), 5)
    checker = prepared.checker
    first = {int(case.given[0]) for case in checker.timed.known}
    assert not checker.renew(REDRAWN - 1)
    assert first == {int(case.given[0]) for case in checker.timed.known}
    assert checker.renew(REDRAWN)
    assert not first & {int(case.given[0]) for case in checker.timed.known}
    assert not checker.renew(REDRAWN + 1)


@evolvable
def fill(x: Array[f64, "n"], out: InOut[f64, "n"]) -> None:
    for i in range(x.shape[0]):
        out[i] = 2 * x[i]


FILL = "void fill(int64_t n, const double x[n], double out[n])"


def test_each_place_in_which_calls_are_timed_is_tried():
    """The same few inputs lie in many places; code that looks at its address may be right in some of them."""
    prepared = Speedup(lambda rng: (rng.random(8), np.zeros(8))).prepare(target_of(fill), 5)
    watch = prepared.checker.timed.watch
    watch.run_once(fill.revision(0).entry_address)
    calls = list(watch.calls())
    assert len(calls) > 2 * watch.cases
    assert all(np.array_equal(call.values[1], 2 * call.values[0]) for call in calls)


@pytest.mark.slow
@pytest.mark.usefixtures("brief")
def test_a_finalist_that_writes_beside_its_arrays_spoils_no_other():
    """It is wrong, and the one that is measured beside it is not."""
    honest = f"{FILL} {{ for (int64_t i = 0; i < n; i++) out[i] = 2 * x[i]; }}"
    beside = honest.replace("; }", "; for (int64_t m = 1; m < 9; m++) out[16 * m] = 1; }")
    evaluator = LocalEvaluator(fill, Speedup(lambda rng: (rng.random(8), np.zeros(8))))
    canonical = target_of(fill).canonical
    try:
        found = evaluator.confirm([canonical(beside).text, canonical(honest).text])
    finally:
        evaluator.pool.close()
    assert [each.status for each in found] == [Status.WRONG, Status.VALID]


@pytest.mark.slow
def test_a_bool_is_0_or_1():
    """NumPy takes every byte but zero for true; who takes the array afterwards may look at its bytes."""

    @evolvable
    def masked(x: Array[i64, "n"], out: Out[boolean, "n"]) -> None:
        for i in range(x.shape[0]):
            out[i] = (x[i] & 6) != 0

    head = "void masked(int64_t n, const int64_t x[n], bool out[n])"
    with Evolution(masked, metric=Speedup(lambda rng: (rng.integers(0, 9, 50), np.zeros(50, bool)))) as search:
        right = search.evaluate(f"{head} {{ for (int64_t i = 0; i < n; i++) out[i] = (x[i] & 6) != 0; }}")
        bytes_ = (
            f"{head} {{ unsigned char *p = (unsigned char *)out; for (int64_t i = 0; i < n; i++) p[i] = x[i] & 6; }}"
        )
        wrong = search.evaluate(bytes_)
    assert (right.status, wrong.status) == (Status.VALID, Status.WRONG)
