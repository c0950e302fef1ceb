"""Python bodies: compiled by Numba as what they were, under the kernel's entry."""

import pickle

import numba
import numpy as np
import pytest
from numba import float64 as f64
from numba import int64 as i64
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, InOut, KernelError, evolvable
from tests.dispatch.numba.kinds import ratio


def test_a_body_that_does_not_compile_is_told_at_the_call():
    """Where revision 0 is more than Numba can compile, its first use from compiled code says so."""

    @evolvable
    def impossible(x: f64) -> f64:
        return {}["no"] + x

    for run in (njit(lambda k: k(1.0)), njit(lambda k: impossible(1.0))):
        with pytest.raises(sj.KernelError, match="Numba cannot compile the Python body of 'impossible'"):
            run(impossible)


@njit(fastmath=True)
def is_nan(a):
    return a != a


@pytest.mark.slow
def test_options_that_change_results_are_those_of_the_compiled_function():
    """Division by zero, fast mathematics: revision 0 does what the function did, also frozen and pickled."""
    ratio(1.0, 0.0)
    is_nan(1.0)
    divided, compared = evolvable(ratio), evolvable(is_nan)
    frozen_ratio = divided.freeze()
    assert divided(1.0, 0.0) == ratio(1.0, 0.0) == np.inf
    assert njit(lambda a, b: frozen_ratio(a, b))(1.0, 0.0) == np.inf
    assert pickle.loads(pickle.dumps(divided))(1.0, 0.0) == np.inf
    assert compared(np.nan) == is_nan(np.nan)


@pytest.mark.slow
def test_a_body_that_calls_itself():
    """It calls itself and not what is active; in a function's scope as in a module's."""

    @evolvable
    def fibonacci(n: i64) -> i64:
        if n < 2:
            return n
        return fibonacci(n - 1) + fibonacci(n - 2)

    assert (fibonacci(10), pickle.loads(pickle.dumps(fibonacci))(10)) == (55, 55)
    fibonacci.swap("int64_t fibonacci(int64_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2) + 1; }")
    assert (fibonacci(10), fibonacci.revision(0)(10)) == (143, 55)


def test_numbas_switch_is_named(monkeypatch):
    """With NUMBA_DISABLE_JIT there is no Python body; C works."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    with pytest.raises(KernelError, match="NUMBA_DISABLE_JIT is set"):
        evolvable(declared)(1.0)
    assert sj.Kernel.from_c("double f(double x) { return x; }")(1.0) == 1.0


def declared(x: f64) -> f64:
    return x + 1.0


def one_value(c: InOut[i64]) -> None:
    c[0] += 1


def test_what_is_the_matter_with_a_body_is_hinted_at():
    """One value by reference is a 0-d array there."""
    with pytest.raises(KernelError, match=r"'c' is one value: read and write c\[\(\)\]"):
        evolvable(one_value)(np.zeros(1, np.int64))


def test_a_python_body_that_numba_cannot_type_is_a_kernel_error():
    """Numba has no records with sub-arrays of bool; what it raises then is no NumbaError."""
    Flags = sj.record(type("Flags", (), {"__annotations__": {"f": Array[numba.boolean, 2]}}))

    @evolvable
    def f(flags: Flags) -> bool:
        return flags.f[0]

    with pytest.raises(KernelError, match="Numba cannot compile the Python body of 'f'"):
        f(np.zeros(1, Flags.dtype))


def test_a_body_that_numba_rejects_is_the_callers_error():
    """The message names the kernel and carries Numba's."""

    @evolvable
    def f(x: f64) -> f64:
        return {}["no"] + x

    with pytest.raises(KernelError, match="Numba cannot compile the Python body of 'f'"):
        f(1.0)


def test_a_body_may_not_write_a_plain_array():
    """A parameter that is not Out or InOut is read-only in the Python body as it is const in C."""

    @evolvable
    def f(x: Array[f64, "n"]) -> f64:
        x[0] = 1.0
        return 0.0

    with pytest.raises(KernelError):
        f(np.zeros(1))
