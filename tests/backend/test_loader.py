"""Object code -> addresses: what names mean there, and that closing gives the memory back."""

import ctypes
import gc
import os
import pickle

import pytest

from symbiont_jit import CandidateError
from symbiont_jit.backend.elf import symbols
from symbiont_jit.backend.loader import load
from tests.backend.compiling import SQUARE, call, compiled


@pytest.mark.usefixtures("loader")
def test_object_code_is_small_picklable_and_runs():
    """A kernel's object code is bytes of about a KiB that can be sent and loaded elsewhere."""
    code = pickle.loads(pickle.dumps(compiled(SQUARE, "square")))
    assert len(code.data) < 4096
    assert call(code, 3.0) == 9.0


@pytest.mark.usefixtures("loader")
def test_a_helper_named_like_a_library_function_is_its_own():
    """`qsort` and `strlen` of a candidate are called, not those of the process."""
    text = (
        "static double qsort(double x)\n{\n  return x + 1;\n}\n"
        "static int strlen(const char *s)\n{\n  return 40;\n}\n"
        'double f(double x)\n{\n  return qsort(x) + strlen("abc");\n}\n'
    )
    code = compiled(text, "f")
    assert symbols(code.data) == ({"f"}, set())
    assert call(code, 1.0) == 42.0


@pytest.mark.usefixtures("loader")
def test_two_revisions_may_have_the_same_names():
    """The same entry and helper names in two objects never meet."""
    first, second = (
        compiled(
            f"static double h(double x)\n{{\n  return x * {k};\n}}\ndouble f(double x)\n{{\n  return h(x);\n}}\n", "f"
        )
        for k in (2, 3)
    )
    loaded = [load(first), load(second)]
    functions = [ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(x.addresses[0]) for x in loaded]
    assert [f(1.0) for f in functions] == [2.0, 3.0]


def test_a_symbol_of_the_process_is_not_reachable():
    """Object code that needs more than the table's functions is refused before it is loaded."""
    text = "extern int getpid(void);\ndouble f(double x)\n{\n  return getpid();\n}\n"
    with pytest.raises(CandidateError, match="needs 'getpid'"):
        compiled(text, "f")


@pytest.mark.usefixtures("loader")
def test_library_functions_are_the_librarys():
    """A candidate's `erf` and `fmod` are libm's."""
    import math

    code = compiled("double f(double x)\n{\n  return erf(x) + fmod(7.5, x);\n}\n", "f")
    assert call(code, 2.0) == math.erf(2.0) + math.fmod(7.5, 2.0)


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_closing_gives_the_memory_back():
    """Loading and closing an object a thousand times does not make the process grow."""

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    code = compiled(SQUARE, "square")
    for _ in range(600):
        load(code).close()
    gc.collect()
    before = resident()
    for _ in range(1000):
        load(code).close()
    gc.collect()
    assert resident() - before < 8 << 20
