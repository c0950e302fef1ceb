"""Winners are reported clean: what does not matter to their score is not in them."""

import numpy as np
import pytest

from symbiont_jit import Candidate, Evolution, Kernel, Speedup
from symbiont_jit.evaluate.evaluation import Evaluation, Status
from symbiont_jit.search import ending
from symbiont_jit.search.reduce import reduce_winner
from tests.kernels import DOT_HEAD


@pytest.fixture(autouse=True)
def long_reduction(brief, monkeypatch):
    """What can be left out is left out, however busy the machine is."""
    monkeypatch.setattr(ending, "LEAST_REDUCTION", 60.0)


class Given:
    """A proposer of one text."""

    def __init__(self, text):
        self.text = text

    def ask(self, signature, parents, rng):
        """Give the text once."""
        text, self.text = self.text, None
        return Candidate(text, "given") if text else None

    def tell(self, candidate, evaluation, gain):
        """Learn nothing."""


def find_line(kernel):
    """How far a function is from a straight line."""
    return -sum(abs(kernel(x) + 1.25 * x) for x in np.linspace(-3, 3, 7))


@pytest.mark.slow
def test_a_formula_without_what_changes_nothing():
    """No `0 - 1.25`, no loop that never runs, no test that never holds, no product with one."""
    kernel = Kernel.from_c("double f(double x) { return 0; }")
    dirty = """double f(double x) {
        double s = 0 - 1.25, unused = 3;
        for (int i = 4; i < 0; i++) s += 1;
        if (x > 1e9) s = 2;
        return s * x * 1 + (x - x);
    }"""
    result = Evolution(kernel, metric=find_line, proposer=Given(dirty)).run(candidates=1)
    assert "".join(result.best.source.split()) == "doublef(doublex){doubles=-1.25;returns*x;}"
    assert kernel.source == result.best.source
    assert result.best.score == pytest.approx(0)


@pytest.mark.slow
def test_a_fast_kernel_keeps_what_makes_it_fast():
    """The pragma stays, because without it the kernel is slower; what does nothing goes."""
    slow = (
        DOT_HEAD
        + " { double s = 0; for (int64_t i = 0; i < n; i++) { volatile double t = x[i]; s += t * y[i]; } return s; }"
    )
    fast = (
        DOT_HEAD
        + """
    {
    #pragma clang fp reassociate(on)
        double s = 0, unused = 3;
        for (int64_t i = 4; i < 0; i++) s += x[i];
        for (int64_t i = 0; i < n; i++) s += x[i] * y[i];
        return s;
    }"""
    )
    kernel = Kernel.from_c(slow)
    metric = Speedup(lambda rng: (rng.random(2000), rng.random(2000)))
    result = Evolution(kernel, metric=metric, proposer=Given(fast)).run(candidates=1)
    assert result.is_gain
    assert "unused" not in result.best.source
    assert "i = 4" not in result.best.source
    assert "reassociate" in result.best.source
    assert kernel.source == result.best.source


@pytest.mark.slow
def test_what_other_inputs_need_stays():
    """The rest of an unrolled loop is never run by inputs of an even length, and is part of the winner all the same."""
    slow = (
        DOT_HEAD
        + " { double s = 0; for (int64_t i = 0; i < n; i++) { volatile double t = x[i]; s += t * y[i]; } return s; }"
    )
    unrolled = (
        DOT_HEAD
        + """ {
        double s = 0, t = 0;
        int64_t i = 0;
        for (; i + 1 < n; i += 2) { s += x[i] * y[i]; t += x[i + 1] * y[i + 1]; }
        if (i < n) s += x[i] * y[i];
        return s + t;
    }"""
    )
    kernel = Kernel.from_c(slow)
    metric = Speedup(lambda rng: (rng.random(500), rng.random(500)))
    Evolution(kernel, metric=metric, proposer=Given(unrolled)).run(candidates=1)
    assert kernel.source.count("double t") == 1
    assert kernel(np.ones(3), np.ones(3)) == 3


def evaluation(source, score=1.0, code="other"):
    return Evaluation(Status.VALID, source, score, release_code=code)


def test_equal_machine_code_is_as_good():
    """It is taken without a look at its score; a text that is worse, or not valid, never is."""
    text = "double f(double x)\n{\n  double u = 3;\n  double v = 4;\n  return x;\n}\n"
    winner = evaluation(text, code="same")

    def evaluate(source):
        if "return" not in source:
            return Evaluation(Status.WRONG, source)
        return evaluation(source, 0.1, "same" if "v" in source else "other")

    found = reduce_winner(winner, evaluate, lambda a, b: b.score >= a.score, 60)
    assert "".join(found.source.split()) == "doublef(doublex){doublev=4;returnx;}"


def test_there_is_an_end():
    """Without time the winner stays as it is."""
    winner = evaluation("double f(double x)\n{\n  double u = 3;\n  return x;\n}\n")
    assert reduce_winner(winner, evaluation, lambda a, b: True, 0) is winner
