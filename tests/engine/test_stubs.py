"""The project's own C around entries: the preprocessor, stubs, jumps that never move."""

import ctypes
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numba import complex64 as c64
from numba import complex128 as c128
from numba import float64 as f64

from symbiont_jit import CandidateError, Kernel, PanicError, evolvable
from symbiont_jit.backend.generated import load_generated
from tests.frontend.candidates import SCALAR, whole
from tests.kernels import CUBE


def test_a_file_is_out_of_reach(tmp_path):
    """Whatever a text writes between `%` and `:`, the preprocessor reads no file for it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("*")
    for gap in ("", "\\\n", "\\ \n", "\\\t\n", "\\\f\n", "\\/**/\n", "\\ \\\n\n", "\\\\\n\n", "\\ \n\\ \n"):
        for mark in (f"%{gap}:", f"#{gap}", f"?{gap}?="):
            for word in ("embed", "include", f"em{gap}bed"):
                source = f'#define ONE 1\nstatic const char t[] = {{1,\n{mark}{word} "{secret}"\n}};\n'
                with pytest.raises(CandidateError):
                    Kernel(SCALAR).compile(source + whole("return t[1];"))


@pytest.mark.usefixtures("loader")
def test_a_kernel_without_a_body_panics():
    """Calling it raises what says what to do; a swap ends that."""

    @evolvable
    def f(x: f64) -> f64: ...

    with pytest.raises(PanicError, match="'f' has no body yet") as raised:
        f(3.0)
    assert raised.value.panic.kind == "unevolved"
    f.swap("double f(double x) { return x; }")
    assert (f(3.0), f.take_panic()) == (3.0, None)


def test_the_address_never_changes_and_goes_to_the_active_revision(square):
    """Whoever holds the pointer calls the body that is active now, Python bodies included."""
    address = square.address
    function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)
    assert function(3.0) == 9.0
    square.swap(CUBE)
    assert (function(3.0), square.address) == (27.0, address)
    square.activate(0)
    assert function(3.0) == 9.0


@pytest.mark.slow
def test_the_address_outlives_the_kernel():
    """A pointer that was given away stays valid when the kernel is forgotten, and after its code was pruned."""
    program = textwrap.dedent("""
        import ctypes, gc
        from numba import float64 as f64
        from symbiont_jit import evolvable

        @evolvable(source="double twice(double x) { return 2 * x; }")
        def twice(x: f64) -> f64: ...

        address = twice.address
        twice.swap("double twice(double x) { return x + x + 1; }")
        twice.prune(idle=True)
        del twice
        gc.collect()
        assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(4.0) == 9.0
    """)
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(("typ", "c", "value"), [(c128, "double _Complex", 1 + 2j), (c64, "float _Complex", 1 + 2j)])
def test_the_address_has_the_c_prototype_for_complex_numbers(typ, c, value):
    """Another C function, compiled by clang itself, calls the address with complex numbers by value."""

    def turn(z, w): ...

    turn.__annotations__ = {"z": typ, "w": typ, "return": typ}
    kernel = evolvable(source=f"{c} turn({c} z, {c} w) {{ return z * w; }}")(turn)
    caller = load_generated(
        f"extern {c} turn({c}, {c});\nvoid call(const {c} *z, {c} *out) {{ *out = turn(z[0], z[1]); }}\n",
        ("call",),
        {"turn": kernel.address},
    )
    numbers, out = np.array([value, 3j], typ.name), np.zeros(1, typ.name)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(caller.addresses[0])(numbers.ctypes.data, out.ctypes.data)
    assert kernel(value, 3j) == out[0] == value * 3j
