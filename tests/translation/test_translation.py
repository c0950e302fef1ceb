"""Python functions -> C: the same results to the last bit, or an error with the line."""

import copy
import inspect
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

import symbiont_jit as sj
from fuzz.translation import compare_program
from symbiont_jit.kernel import Kernel
from symbiont_jit.kernel.translating import translate_compiled
from symbiont_jit.signature import signature_of
from symbiont_jit.translation import translate_function
from tests.translation.functions import CASES, ROUNDED
from tests.translation.refused import MESSAGES

VECTOR = sj.InOut[sj.f64, "n"]


def is_same(one, other, is_rounded=False):
    """Whether two results are equal to the last bit, or to rounding."""
    if isinstance(one, tuple):
        pairs = zip(one, other, strict=True)
        return isinstance(other, tuple) and all(is_same(a, b, is_rounded) for a, b in pairs)
    if one is None:
        return other is None
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or (one.ndim and one.dtype != other.dtype):
        return False
    if is_rounded:
        return np.allclose(one, other, rtol=1e-12, atol=1e-14)
    return np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


@pytest.mark.slow
@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_the_c_computes_what_numba_computes(function):
    """Each function of the subset has the same results in C, and changes its arguments alike."""
    compiled = njit(function)
    before, after = copy.deepcopy(CASES[function]), copy.deepcopy(CASES[function])
    expected = compiled(*before)
    made = translate_compiled(compiled, {})
    found = Kernel(made.signature, source=made.text)(*after)
    assert is_same(expected, found, function in ROUNDED), made.text
    assert is_same(before, after), made.text


@pytest.mark.parametrize("function", MESSAGES, ids=lambda function: function.__name__)
def test_what_has_no_c_form_is_an_error_with_its_line(function):
    """The error names the line of the file, shows it with a caret, and says what to write."""
    lines, first = inspect.getsourcelines(function)
    line = first + next(index for index, text in enumerate(lines) if "# here" in text)
    with pytest.raises(sj.TranslationError) as caught:
        translate_function(function, signature_of(function, {}, [VECTOR, None]))
    assert (caught.value.line, caught.value.file) == (line, inspect.getsourcefile(function))
    assert MESSAGES[function] in caught.value.message
    assert str(caught.value).splitlines()[1].strip() == lines[line - first].strip()


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_random_programs_agree(seed):
    """Programs that nobody has thought of compute in C what they compute in Numba."""
    assert compare_program(seed) == ""


def dot(x: sj.Array[sj.f64, "n"], y: sj.Array[sj.f64, "n"]) -> sj.f64:
    """The dot product.

    Both vectors have one length.
    """
    total = 0
    # Go through both.
    for i in range(len(x)):
        total += x[i] * y[i]  # add a product
    return total


def test_the_text_has_the_names_and_comments_of_the_function():
    """Whoever knows the Python function knows the C."""
    assert sj.translate(dot) == textwrap.dedent(
        """\
        #include <stdint.h>

        /*
         * The dot product.
         *
         * Both vectors have one length.
         */
        double dot(int64_t n, const double x[n], const double y[n])
        {
            double total = 0.0;
            // Go through both.
            for (int64_t i = 0; i < n; i++) {
                // add a product
                total += x[i] * y[i];
            }
            return total;
        }
        """
    )


@pytest.mark.usefixtures("brief")
def test_a_kernel_of_python_alone_has_c_to_begin_with():
    """The source is C with the declared prototype, which is acceptable, and a search begins with it."""
    kernel = sj.evolvable(dot)
    assert kernel.source == sj.translate(kernel)
    assert kernel.c_prototype in kernel.source
    assert kernel.revision(0).language == "python"
    search = sj.Evolution(kernel, metric=sj.Speedup([(np.ones(9), np.arange(9.0))]), proposer=sj.Mutator(), seed=0)
    assert search.run(candidates=1).baseline.is_valid


def test_a_model_is_shown_the_c_of_a_python_body():
    """A model that is asked for a better body sees the present one in C."""
    kernel = sj.evolvable(dot)
    agent = sj.testing.ScriptedAgent([f"```c\n{kernel.source.replace('total', 's')}```"])
    trace = kernel.evolve(agent, "Make it fast.").trace
    assert "double total = 0.0;" in str(trace.attempts[0].prompt)


def test_a_body_without_a_c_form_stays_python():
    """What cannot be translated is what it was: the source is the Python text, and a search begins with nothing."""

    @sj.evolvable
    def total(x: sj.Array[sj.f64, "n"]) -> sj.f64:
        return np.median(x)

    assert "np.median" in total.source
    with pytest.raises(sj.TranslationError, match="median has no C form"):
        sj.translate(total)


@sj.record
class Bar:
    """A record with a sub-array."""

    price: sj.f64
    volume: sj.i64
    weights: sj.Array[sj.f64, 3]


@pytest.mark.slow
def test_fields_of_records():
    """Fields are read and written by name: those of one record, of many, and elements of sub-arrays."""

    @sj.evolvable
    def turnover(x: sj.Array[Bar, "n"], y: sj.InOut[Bar, "n"], last: sj.InOut[Bar]) -> sj.f64:
        s = 0.0
        for i in range(len(x)):
            s += x[i].price * x[i].volume
            y[i].volume += 2
            last.weights[i % 3] += x[i].weights[1]
        last.price = s
        return s

    x = np.zeros(4, Bar.dtype)
    x["price"], x["volume"], x["weights"] = [0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4], np.arange(12).reshape(4, 3)
    results = []
    for source in (None, turnover.source):
        if source is not None:
            turnover.swap(source)
        y, last = np.zeros(4, Bar.dtype), np.zeros((), Bar.dtype)
        results.append((turnover(x, y, last), y.tobytes(), last.tobytes()))
    assert results[0] == results[1]


@njit
def smooth(x, weight):
    y = np.empty_like(x)
    y[0], y[-1] = x[0], x[-1]
    y[1:-1] = (x[:-2] + weight * x[1:-1] + x[2:]) / (2 + weight)
    return y, y.max()


@pytest.mark.slow
def test_results_that_are_new_arrays_are_returned():
    """A kernel of a function that returns arrays is called like it, before and after its C is swapped in."""
    x = np.arange(7.0) ** 2
    expected = smooth(x, 0.5)
    kernel = sj.evolvable(smooth)
    assert is_same(expected, kernel(x, 0.5))
    kernel.swap(kernel.source)
    assert is_same(expected, kernel(x, 0.5))
    assert is_same(expected, kernel(x, weight=0.5))
    room = np.zeros(7), np.zeros(())
    assert kernel(x, 0.5, *room) is None
    assert is_same(expected, (room[0], room[1][()]))
    with pytest.raises(TypeError, match=r"smooth\(\) takes 2"):
        kernel(x)


@pytest.mark.slow
@pytest.mark.usefixtures("brief")
def test_a_search_draws_only_what_the_function_takes():
    """Inputs of a search are arguments of the Python function; room for results is made beside them."""
    smooth(np.ones(4), 1.0)
    kernel = sj.evolvable(smooth)
    search = sj.Evolution(kernel, metric=sj.Speedup([(np.arange(50.0), 2.0)]), proposer=sj.Mutator(), seed=0)
    assert search.run(candidates=1).baseline.is_valid


def test_types_have_to_be_known():
    """A function without annotations that was never compiled says how its types become known."""

    @njit
    def never(x):
        return x + 1

    with pytest.raises(sj.SignatureError, match="call it once"):
        sj.translate(never)
    with pytest.raises(sj.UsageError, match="translate takes a function"):
        sj.translate(3)
