"""What a metric may say, and what only somebody else would say in its name."""

import math
import re

import numpy as np
import pytest

from symbiont_jit import Diagnostic, Evolution, Kernel, Panic, Status, evolvable
from symbiont_jit.errors import Stage
from symbiont_jit.evaluate.intervals import ONE
from symbiont_jit.evaluate.metric import MetricResult
from tests.kernels import DOT, dot

FOUND = (Diagnostic(Stage.EVALUATE, "wrong", "it is"),)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.VALID},
        {"status": Status.VALID, "score": math.nan},
        {"status": Status.VALID, "score": 1.0, "scores": {"a": math.inf}},
        {"status": Status.VALID, "score": 1.0, "panic": Panic("index", "outside")},
        {"status": Status.VALID, "score": 1.0, "candidate_ns": (math.nan,)},
        {"status": Status.VALID, "score": 1.0, "reference_ns": (-1.0,)},
        {"status": Status.VALID, "score": 1.0, "reference_ns": (math.inf,)},
        {"status": Status.WRONG},
        {"status": Status.WRONG, "score": 1.0, "diagnostics": FOUND},
        {"status": Status.WRONG, "scores": {"a": 1.0}, "diagnostics": FOUND},
        {"status": Status.WRONG, "gains": {"a": ONE}, "diagnostics": FOUND},
        {"status": Status.PANICKED, "diagnostics": FOUND},
        {"status": Status.CRASHED, "diagnostics": FOUND},
    ],
    ids=str,
)
def test_what_no_metric_says(fields):
    """A result that does not fit together is refused, because other code may have written it in the worker."""
    with pytest.raises(ValueError, match=r"score|times|panic|finding|no metric"):
        MetricResult(**fields)


@pytest.mark.slow
@pytest.mark.parametrize("key", [np.int64(3), 3, None, ("a", 1), b"\xff", frozenset({1}), "\ud800"], ids=ascii)
def test_names_of_scores_are_texts(key):
    """Whatever a metric names its numbers by, the name is a text in the evaluation."""
    with Evolution(evolvable(dot, source=DOT), metric=lambda kernel: {key: 2.0}) as search:
        found = search.evaluate(DOT)
    assert found.status is Status.VALID
    assert list(found.scores.values()) == [2.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"a\u200f": 1.0, "a\u200e": 2.0}, r"two scores of one name: 'a\?'"),
        ({f"{number:0200}": 1.0 for number in range(1000)}, "1,000 scores, .* all of 200,000, which is too much"),
    ],
    ids=["the same", "long"],
)
def test_no_score_takes_the_place_of_another(scores, said):
    """Names are told apart as they come out of the worker: clean, and none of them cut."""
    with Evolution(evolvable(dot, source=DOT), metric=lambda kernel: scores) as search:
        found = search.evaluate(DOT)
    assert found.status is Status.WRONG
    assert re.search(said, found.diagnostics[0].message)


def test_a_kernel_that_begins_with_c_for_checks_alone():
    """C that `release` refuses is nothing to be compared with, and keeps no candidate from being evaluated."""
    kernel = Kernel.from_c(
        "double k(double x) { long double q = x; long double *p = &q; return (double)*p; }", profile="safe"
    )
    with Evolution(kernel, metric=lambda k: k(1.0)) as search:
        assert search.evaluate("double k(double x) { return x + 1; }").score == 2.0
