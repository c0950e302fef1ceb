"""The user's own judgement in place of tolerances, and references that would let anything pass."""

import os

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, Evolution, InOut, Kernel, Out, Speedup, Status, UsageError, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.agreement import Outcome, find_disagreement
from symbiont_jit.signature import signature_of


@evolvable
def primes(n: i64, out: Out[i64, "m"]) -> i64:
    """The prime factors of n, in any order, and how many there are."""
    count = 0
    for i in range(2, n + 1):
        while n % i == 0 and count < out.shape[0]:
            out[count] = i
            count += 1
            n //= i
    return count


HEAD = "int64_t primes(int64_t m, int64_t n, int64_t out[m])"
BACKWARDS = f"""{HEAD} {{
    int64_t c = 0;
    for (int64_t i = n; i >= 2; i--) {{
        int is_prime = 1;
        for (int64_t j = 2; j < i; j++) if (i % j == 0) is_prime = 0;
        while (is_prime && n % i == 0 && c < m) {{ out[c++] = i; n /= i; }}
    }}
    return c; }}"""


def same_set(arguments, expected, got):
    """Whether both found the same factors."""
    assert isinstance(arguments[0], np.integer)
    (theirs, count), (ours, number) = expected, got
    return sorted(theirs[:count]) == sorted(ours[:number]) or f"{ours[:number]} are not the factors of {arguments[0]}"


def inputs(rng):
    return int(rng.integers(2, 100)), np.zeros(8, np.int64)


@pytest.mark.slow
def test_a_function_judges_in_place_of_tolerances():
    """Results in another order are as good, if the user says so; what the function says of others is the finding."""
    with Evolution(primes, metric=Speedup(inputs, agrees=same_set)) as search:
        assert search.evaluate(BACKWARDS).status is Status.VALID
        wrong = search.evaluate(BACKWARDS.replace("i >= 2", "i > 2"))
    assert wrong.status is Status.WRONG
    assert "are not the factors of" in wrong.diagnostics[0].message
    with Evolution(primes, metric=Speedup(inputs)) as search:
        assert search.evaluate(BACKWARDS).status is Status.WRONG


@pytest.mark.slow
def test_what_the_function_raises_for_a_candidate_is_a_finding():
    """It is the candidate's, because the same function took the reference's results."""

    def picky(arguments, expected, got):
        if got != expected:
            raise ValueError(f"{got} is not {expected}")
        return True

    @evolvable
    def double_of(x: i64) -> i64:
        return 2 * x

    with Evolution(double_of, metric=Speedup(lambda rng: (int(rng.integers(9)),), agrees=picky)) as search:
        found = search.evaluate("int64_t double_of(int64_t x) { return 3 * x + 1; }")
    assert found.status is Status.WRONG
    assert "agrees= raised ValueError" in found.diagnostics[0].message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"agrees": 7}, "agrees is a function"),
        ({"agrees": same_set, "rtol": 1e-3}, "one or the other"),
        ({"agrees": same_set, "atol": 1e-3}, "one or the other"),
        ({"rtol": "abc"}, "rtol is a number of at least 0, not 'abc'"),
        ({"atol": 1j}, "atol is a number of at least 0"),
        ({"rtol": np.ones(3)}, "rtol is a number of at least 0"),
        ({"atol": float("nan")}, "atol is a number of at least 0"),
    ],
)
def test_options_that_contradict_each_other(options, said):
    """They are a usage error at once."""
    with pytest.raises(UsageError, match=said):
        Speedup(inputs, **options)


def test_a_list_that_has_no_tuples():
    """The first one that is none is named."""
    with pytest.raises(UsageError, match=r"inputs\[0\] is a tuple of arguments, not 1.0"):
        Speedup([1.0, 2.0])


@pytest.mark.slow
def test_a_judgement_that_the_sandbox_refuses(tmp_path):
    """The finding names the permission."""

    def log(arguments, expected, got):
        if is_worker():
            (tmp_path / "log").write_text("seen")
        return True

    parent = os.getpid()
    is_worker = lambda: os.getpid() != parent  # noqa: E731
    with Evolution(primes, metric=Speedup(inputs, agrees=log)) as search:
        found = search.evaluate(BACKWARDS)
    assert "permissions=['write']" in found.diagnostics[0].message


def test_a_judgement_that_refuses_the_reference():
    """The user is told at once; what the function raises is raised as it is."""
    with pytest.raises(UsageError, match="the reference disagrees with itself: never"):
        Speedup(inputs, agrees=lambda *_: "never").prepare(target_of(primes), 1)
    with pytest.raises(ZeroDivisionError):
        Speedup(inputs, agrees=lambda *_: 1 / 0).prepare(target_of(primes), 1)


def test_what_is_only_read_stays_in_any_case():
    """A judgement is about results; an input that was changed is wrong whatever it says."""

    def f(x: Array[f64, "n"], y: InOut[f64, "n"]) -> None: ...

    x, y = np.zeros(2), np.zeros(2)
    judged = find_disagreement(
        signature_of(f, {}), lambda *_: True, (x, y), Outcome((x, y), None), Outcome((x + 1, y), None)
    )
    assert judged == "'x' was changed, though it is const: differs"
    seen = []
    agree = lambda arguments, expected, got: seen.append((expected, got)) or True  # noqa: E731
    assert find_disagreement(signature_of(f, {}), agree, (x, y), Outcome((x, y), None), Outcome((x, y), None)) == ""
    assert isinstance(seen[0][0], np.ndarray)


@pytest.mark.parametrize(("value", "said"), [("7.0", "the same result"), ("NAN", "nothing but NaN")])
def test_a_reference_that_anything_equals(value, said):
    """The user is warned: a text that returns a constant would win."""
    kernel = Kernel.from_c(f"double f(double x) {{ return {value}; }}")
    with pytest.warns(UserWarning, match=said):
        Speedup(lambda rng: (rng.random(),)).prepare(target_of(kernel), 1)
