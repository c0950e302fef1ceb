"""The fuzzer, briefly: random candidates do no harm; and each way of noticing harm, on code without checks.

Invariant: whatever a seed and a number make, `safe` and `checked` refuse it, or its calls give a value or a panic.
"""

import os
import signal
from random import Random

import numpy as np
import pytest

from fuzz import run
from fuzz.cases import Case, drawn, signature_in
from fuzz.judge import Kind, Limits, judged
from fuzz.run import Options, case_of, survey

X = "void k(int64_t n, double x[n])"
R = "double k(int64_t n, const double x[n])"
QUICK = Limits(compile=10.0, call=0.1, child=1.0, steps=100_000)


def found(declaration, body, profile="release"):
    """What is found in a candidate, on an array of four ones."""
    verdict = judged(Case("test", declaration, f"{declaration} {{ {body} }}"), [np.ones(4)], [profile], QUICK)
    return {finding.kind for finding in verdict.findings}, verdict.outcomes.get(profile)


SHORT = Limits(call=0.05, steps=50_000)
HALVES = [("safe", 0), ("checked", 1000)]


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "first"), HALVES)
def test_random_candidates_of_the_grammar_do_no_harm(profile, first):
    """Fifteen candidates for each profile: no finding, most of them accepted, and outcomes of many kinds."""
    report = survey(Options(seed=11, kinds=("grammar",), profiles=(profile,), limits=SHORT), count=15, first=first)
    assert report.tried == 15
    assert not report.findings
    assert report.accepted("grammar", profile) > 7
    assert report.outcomes["grammar", profile, "value"] > 2
    assert len([key for key in report.outcomes if key[2].startswith("panic ")]) >= 4


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "first"), HALVES)
def test_changed_texts_of_the_corpora_do_no_harm(profile, first):
    """Seventy changed texts for each profile: no finding, many rules that refuse, and some that run."""
    report = survey(Options(seed=11, kinds=("text",), profiles=(profile,), limits=SHORT), count=70, first=first)
    assert report.tried == 70
    assert not report.findings
    assert report.accepted("text", profile) > 7
    assert len([key for key in report.outcomes if key[2].startswith("refused ")]) > 8


def test_a_number_is_always_the_same_candidate():
    """A candidate depends on its seed and number alone."""
    one, other, next_one = (case_of(Options(seed=5), number) for number in (7, 7, 8))
    assert one[:2] == other[:2]
    assert one[1].text != next_one[1].text
    assert [repr(a) for a in one[2]] == [repr(a) for a in other[2]]


def test_arguments_fit_their_signature():
    """Arrays have one length for one name, and elements of their type."""
    signature = signature_in("double k(int64_t n, const double x[n], int32_t y[n][3])")
    x, y = drawn(signature, Random(1))
    assert (x.dtype, y.dtype) == (np.float64, np.int32)
    assert y.shape == (len(x), 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "is_exact", "kinds"),
    [
        ("return i + 1 > i;", True, {Kind.UNDEFINED}),
        ("return i + 1 > i;", False, set()),
        ("return (uint64_t)i + 1 > i;", True, set()),
    ],
)
def test_what_two_compilations_take_for_something_else_is_found(text, is_exact, kinds):
    """Signed overflow, in code without checks: the optimiser concludes from it that it does not happen."""
    declaration = "int64_t k(int64_t i)"
    case = Case("test", declaration, f"{declaration} {{ {text} }}", is_exact)
    limits = Limits(compile=10.0, call=0.1, child=1.0, twin=("-O0",))
    verdict = judged(case, [np.int64(2**63 - 1)], ["release"], limits)
    assert {finding.kind for finding in verdict.findings} == kinds


@pytest.mark.slow
def test_exact_texts_have_every_kind_of_object():
    """Texts of the grammar have long doubles, structs by value, bytes of both, and functions of the table."""
    cases = [case_of(Options(seed=3, kinds=("grammar",)), number)[1] for number in range(300)]
    exact = [case.text for case in cases if case.is_exact]
    assert 100 < len(exact) < 200
    for piece in ("long double", "(const uint8_t *)&", "union S", "__builtin_bswap", "struct S", " : "):
        assert sum(piece in text for text in exact) > 3, piece
    assert not any(piece in text for text in exact for piece in ("INFINITY", "memcmp", "sin("))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("declaration", "body", "kind"),
    [
        (X, "x[-1] = 7.0;", Kind.WRITE),
        (X, "x[n] = 7.0;", Kind.CRASH),
        (R, "return x[-1];", Kind.READ),
        (R, "return x[n];", Kind.CRASH),
        (R, "return x[1 << 28];", Kind.CRASH),
        (R, "return n / (n - 4);", Kind.CRASH),
        (R, "volatile int64_t i = 1; while (i) { } return i;", Kind.HANG),
    ],
)
def test_harm_is_noticed(declaration, body, kind):
    """What code without checks does outside its arrays, or for ever, is found; with checks nothing is."""
    kinds, _ = found(declaration, body)
    assert kind in kinds
    for profile in ("safe", "checked"):
        assert found(declaration, body, profile)[0] == set()


def test_code_without_faults_is_not_noticed():
    """A candidate that is right has a value and no finding, also without checks."""
    assert found(R, "double s = 0; for (int64_t i = 0; i < n; i++) s += x[i]; return s;") == (set(), "value")


def test_an_unexpected_exception_is_noticed():
    """What is no refusal is an internal error."""
    verdict = judged(Case("test", R, None), [np.ones(4)], ["safe"], QUICK)
    assert [finding.kind for finding in verdict.findings] == [Kind.INTERNAL]


def test_a_compilation_without_an_end_is_noticed():
    """A compilation that takes longer than it may is a hang."""
    report = survey(Options(kinds=("grammar",), profiles=("safe",), limits=Limits(compile=1e-4)), count=1)
    assert [finding.kind for _, finding in report.findings] == [Kind.HANG]


@pytest.mark.slow
def test_the_death_of_the_compiling_process_is_noticed(monkeypatch):
    """Where a candidate ends the process that compiles it, that is a crash, and the next candidate is tried."""
    real = run.judged

    def dies(case, *rest):
        if case == case_of(Options(), 1)[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(case, *rest)

    monkeypatch.setattr(run, "judged", dies)
    report = survey(Options(profiles=("safe",)), count=3)
    assert [(number, finding.kind) for number, finding in report.findings] == [(1, Kind.CRASH)]
    assert report.tried == 3
