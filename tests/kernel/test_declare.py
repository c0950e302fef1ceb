"""Declarations from elsewhere: C functions, functions that Numba has compiled; pickled kernels; how kernels look."""

import io
import math
import multiprocessing
import os
import pickle
import pydoc
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba import complex128 as c128
from numba import float64 as f64
from numba import int64 as i64
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, CandidateError, InOut, Kernel, KernelError, Out, SignatureError, UsageError, evolvable
from symbiont_jit.engine.stubs import preprocess
from symbiont_jit.frontend.from_c import read_signature
from symbiont_jit.signature import SCALARS, ArrayType, Field, Mode, Param, Record, Scalar, Signature


@sj.record
class Pair:
    """Two numbers."""

    a: f64
    b: f64


# -- from C -----------------------------------------------------------------------------------------------------------

PROTOTYPES = {
    "double f(double x)": "f(x: float64) -> float64",
    "void f(void)": "f() -> None",
    "bool f(int8_t a, unsigned short b, long c, size_t d, float e, _Bool g)": (
        "f(a: int8, b: uint16, c: int64, d: uint64, e: float32, g: boolean) -> boolean"
    ),
    "double f(int64_t n, const double x[n], const double y[n])": (
        'f(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64'
    ),
    "void f(long m, long n, const float a[restrict m][n], float out[n], double t)": (
        'f(a: Array[float32, "m", "n"], out: InOut[float32, "n"], t: float64) -> None'
    ),
    "int f(const int x[3][4], int64_t count[1])": "f(x: Array[int32, 3, 4], count: InOut[int64, 1]) -> int32",
    "double _Complex f(int64_t n, const float _Complex z[n])": 'f(z: Array[complex64, "n"]) -> complex128',
    "double f(const struct P *p, struct P q[2])": "f(p: P, q: InOut[P, 2]) -> float64",
    "double f(const P *p, int64_t n)": "f(p: P, n: int64) -> float64",
    "double complex f(double complex z)": "f(z: complex128) -> complex128",
    "float complex f(int64_t n, const complex float z[n])": 'f(z: Array[complex64, "n"]) -> complex64',
    "double f(double complex)": "f(complex: float64) -> float64",
    "char f(char a, const char x[3])": "f(a: int8, x: Array[int8, 3]) -> int8",
    "ssize_t f(ssize_t a)": "f(a: int64) -> int64",
    "void f(int64_t *p)": "f(p: InOut[int64]) -> None",
    "void f(bool *restrict p, double *const q, float x)": "f(p: InOut[boolean], q: InOut[float64], x: float32) -> None",
    "void f(int64_t n, const double x[n], double *p)": 'f(x: Array[float64, "n"], p: InOut[float64]) -> None',
}


@pytest.mark.table
@pytest.mark.parametrize(("prototype", "signature"), PROTOTYPES.items())
def test_the_signature_of_a_c_function(prototype, signature):
    """Types, lengths and modes are read off the prototype; the function is revision 0."""
    head = "typedef struct P { double x; int w[2]; } P;\n#define UNUSED 1\n"
    result = "" if prototype.startswith("void") else "return 0;"
    kernel = Kernel.from_c(f"{head}{prototype} {{ {result} }}")
    assert str(kernel.signature) == signature
    assert (kernel.active.number, kernel.active.language) == (0, "c")


def test_a_kernel_from_c_runs_and_evolves():
    """It is a kernel like any other."""
    kernel = Kernel.from_c("double dot(int64_t n, const double x[n], const double y[n]) { return n; }")
    assert kernel(np.ones(4), np.ones(4)) == 4.0
    kernel.swap("double dot(int64_t k, const double *a, const double *b) { return k ? a[0] * b[0] : 0; }")
    assert kernel(np.full(2, 3.0), np.full(2, 5.0)) == 15.0
    with pytest.raises(ValueError, match="'x' has n = 1"):
        kernel(np.ones(1), np.ones(2))


def test_records_of_a_c_text_have_dtypes():
    """A struct of the text is a record, whose dtype the arguments have."""
    kernel = Kernel.from_c(
        "struct In { short a; double _Complex z; }; struct Out { struct In in[2]; float t; };"
        "double f(int64_t n, const struct Out x[n]) { return n ? x[n - 1].in[1].a + x[0].t : -1; }"
    )
    (record,) = (p.type.dtype for p in kernel.signature.params)
    x = np.zeros(2, record.dtype)
    x["in"]["a"] = [[1, 2], [3, 4]]
    x["t"] = 0.5
    assert (kernel(x), kernel(x[:0])) == (4.5, -1.0)


def test_complex_is_a_word_where_the_signature_has_complex_numbers():
    """`complex` and `I` need no include there, and mean what they do with it."""
    kernel = Kernel.from_c("double complex turned(double complex z) { double complex w = z * I; return w; }")
    assert kernel(1 + 2j) == -2 + 1j
    with pytest.raises(CandidateError):
        Kernel.from_c("double f(double x) { double complex z = x; return creal(z); }")


NAMES = ("a", "b", "c", "d", "e")
SIZES = st.one_of(st.sampled_from(["k", "m", "n"]), st.integers(1, 2**31 - 1))
FIELDS = st.lists(
    st.tuples(st.sampled_from(list(SCALARS.values())), st.lists(st.integers(1, 9), max_size=2)), min_size=1
)


@st.composite
def elements(draw):
    """A scalar or a record, whose name says what is in it."""
    if draw(st.booleans()):
        return draw(st.sampled_from(list(SCALARS.values())))
    fields = tuple(Field(f"f{i}", t, tuple(d)) for i, (t, d) in enumerate(draw(FIELDS)))
    return Record("R" + re.sub(r"\W", "_", str([(str(f.type), f.dims) for f in fields])), fields)


@st.composite
def params(draw, name):
    """A parameter of any kind but `Out` and const references to scalars, which C does not tell from others."""
    element = draw(elements())
    dims = tuple(draw(st.lists(SIZES, max_size=4)))
    mode = draw(st.sampled_from([Mode.IN, Mode.INOUT]))
    if not dims and isinstance(element, Scalar):
        return Param(name, element) if draw(st.booleans()) else Param(name, ArrayType(element, ()), Mode.INOUT)
    return Param(name, ArrayType(element, dims if isinstance(element, Scalar) else dims[:2]), mode)


@st.composite
def signatures(draw):
    """A signature that annotations can declare and that a C function alone tells."""
    count = draw(st.integers(0, len(NAMES)))
    drawn = tuple(draw(params(name)) for name in NAMES[:count])
    returns = draw(st.none() | st.sampled_from(list(SCALARS.values())))
    made = Signature("f", drawn, returns)
    has_count = any(isinstance(p.type, Scalar) and p.type.kind in "iu" for p in drawn)
    assume(not (has_count and any(is_one(p) for p in drawn)))
    assume(all(literal_bytes(p.type) <= 2**40 for p in drawn if isinstance(p.type, ArrayType)))
    return made


def is_one(param):
    """Whether it is one scalar by reference."""
    return isinstance(param.type, ArrayType) and not param.type.dims and isinstance(param.type.dtype, Scalar)


def literal_bytes(array):
    return math.prod([array.dtype.dtype.itemsize, *(d for d in array.dims if isinstance(d, int))])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(signatures())
def test_a_prototype_is_read_as_the_signature_that_it_was_printed_from(signature):
    """Round trip: what `c_prototype` shows for a kernel declares the same kernel in C."""
    text = f"{signature.c_structs}{signature.c_prototype} {{ }}"
    assert read_signature(text, None, preprocess) == signature


@pytest.mark.parametrize("value", [Out[i64], InOut[i64], Out[Pair], InOut[f64, "n"], Array[c128, 2, "n"]])
def test_a_declared_kernel_is_made_again_from_its_prototype(value):
    """The text that a person copies from a kernel, with a body, gives a kernel of the same prototype."""

    @evolvable
    def f(a: value, x: Array[f64, "n"]) -> None: ...

    text = f"{f.signature.c_structs}{f.c_prototype} {{ }}"
    assert Kernel.from_c(text).c_prototype == f.c_prototype


def test_which_function_is_meant():
    """The only one that is not static; among several the one that is named."""
    text = "static double h(double x) { return x; } double f(double x) { return h(x); }"
    assert Kernel.from_c(text).signature.name == "f"
    assert Kernel.from_c(text, "h")(2.0) == 2.0
    with pytest.raises(SignatureError, match=r"which function is meant.*: f, g"):
        Kernel.from_c("double f(double x) { return x; } double g(double x) { return x; }")
    with pytest.raises(SignatureError, match="no function 'k' in the text; it defines: h, f"):
        Kernel.from_c(text, "k")


REFUSED_C = {
    "double f(const double *x) { return 0; }": r"write 'const double x\[n\]' for an array",
    "double f(double *const *x) { return 0; }": "no form in NumPy",
    "typedef double vec[3]; double f(const vec v) { return 0; }": "no form in NumPy",
    "double f(double x[n], int64_t n) { return 0; }": r"lengths of arrays come first.*\(int64_t n, ...\)",
    "double f(int n, const double x[n]) { return 0; }": "the length 'n' is an int64_t",
    "double f(int64_t n, const double x[n + 1]) { return 0; }": "a length is a parameter's name or a literal",
    "double f(const double x[]) { return 0; }": "a length is a parameter's name or a literal",
    "double *f(double x) { return 0; }": "a kernel returns a scalar or void",
    "struct P { double x; }; double f(struct P p) { return 0; }": r"write 'const struct P \*p'",
    "struct P { double *x; }; double f(const struct P *p) { return 0; }": "a field of struct P",
    "struct P { int x : 3; }; double f(const struct P *p) { return 0; }": "a field of struct P",
    "union P { int x; }; double f(const union P *p) { return 0; }": "no form in NumPy",
    "double f(long double x) { return 0; }": "no form in NumPy",
    "double f(double) { return 0; }": "has no name",
    "double sin(double x) { return 0; }": "C's library has a function of that name",
    "double f(double lambda) { return 0; }": "is a keyword in C or Python",
    "int x;": "there is no function in the text; write one with its body",
    "/* nothing */ // but comments": "there is no function in the text",
    "double f(double x)": r"only the prototype of 'f'.*give it a body: 'double f\(double x\) \{ ... \}'",
    "double f(double x);": "only the prototype of 'f'",
    "struct P { double x; }; void f(const struct P *p)": "only the prototype of 'f'",
    "void f(int64_t k, double *x) { }": r"write 'double x\[n\]' for an array of int64_t n, 'double x\[1\]' for one",
    "void f(int64_t n, const double x[n], double *y, short k) { }": "does not say how many values",
    "typedef struct { double x; } P; double f(const P *p) { return 0; }": "give the struct a tag",
    "typedef struct { double x; } P; double f(int64_t n, const P p[n]) { return 0; }": "give the struct a tag",
    "enum { N = 3 }; double f(const double x[N]) { return 0; }": "'N' is no parameter; a length is a literal",
    "double f(const double x[SIZE]) { return 0; }": "'SIZE' is no parameter; a length is a literal",
    "double f(const double x[*]) { return 0; }": "a length is a parameter's name or a literal",
    "double f(int64_t n, const double x[n], ...) { return 0; }": "variadic functions have no form here",
    "double f(const double x[0]) { return 0; }": r"a literal dimension is 1 to 2\*\*31 - 1, not 0",
    "double f(const double x[2147483648]) { return 0; }": r"a literal dimension is 1 to 2\*\*31 - 1",
    "double f(const double x[1][2][3][4][5]) { return 0; }": "an array has 1 to 4 dimensions, not 5",
    "double f(const double x[2147483647][2147483647]) { return 0; }": r"2\*\*40 is the limit",
    "struct S { struct S s; }; double f(const struct S *s) { return 0; }": "has no form in NumPy",
    "struct S { double x[1 << 28]; }; double f(const struct S *s) { return 0; }": "a field of struct S",
    "struct S { double x[268435456]; }; double f(const struct S *s) { return 0; }": "NumPy cannot hold it",
    "double f(double _Complex complex) { return 0; }": "named 'complex', which is a word of C",
    "".join(f"struct S{i + 1} {{ struct S{i} s; }};" for i in range(400)).replace("struct S0", "double")
    + "double f(const struct S400 *s) { return 0; }": "nested deeper than 32",
}


@pytest.mark.table
@pytest.mark.parametrize(("text", "message"), REFUSED_C.items())
def test_a_c_function_that_no_kernel_can_have(text, message):
    """What has no form in NumPy is refused, with what to write instead."""
    with pytest.raises(SignatureError, match=message):
        Kernel.from_c(text)


@pytest.mark.parametrize("text", ["", "double f(double x) { return", 'int f(void) { asm("nop"); return 0; }', b"\xff"])
def test_a_c_text_that_is_no_candidate(text):
    """A text that cannot be read or breaks a rule is the text's fault."""
    with pytest.raises(CandidateError):
        Kernel.from_c(text)


@pytest.mark.parametrize("nothing", [42, None])
def test_from_c_takes_text(nothing):
    """Anything else is the caller's error."""
    with pytest.raises(UsageError, match="takes C text"):
        Kernel.from_c(nothing)


def test_from_c_takes_a_path(tmp_path):
    """As `source=` of `@evolvable` does: a path, or a string that ends in `.c`."""
    path = tmp_path / "half.c"
    path.write_text("double half(double x) { return x / 2; }")
    other = path.with_suffix(".h")
    other.write_bytes(path.read_bytes())
    assert [Kernel.from_c(p)(3.0) for p in (path, str(path), other)] == [1.5] * 3


@pytest.mark.parametrize("name", ["half.h", "notes.txt", "src/half", "./half.cpp", b"/tmp/half.h"])
def test_a_name_that_may_be_a_path_is_told_apart(name):
    """A string that is no C and looks like the name of a file is answered with how to pass one."""
    with pytest.raises(UsageError, match=r"if it is the name of a file, pass pathlib.Path"):
        Kernel.from_c(name)


@pytest.mark.parametrize("name", ["nowhere/half.c", "ha\0lf.c"])
def test_a_path_that_cannot_be_read_is_named(name):
    """Whatever keeps a file from being read is the caller's error."""
    with pytest.raises(UsageError, match="cannot be read"):
        Kernel.from_c(name)


# -- from Numba -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_njit_function_brings_its_signature():
    """The types that it was compiled for are declared; arrays that it writes are InOut."""

    @njit
    def scale(x, out, factor):
        """Scaled x."""
        for i in range(x.size):
            out[i] = factor * x[i]
        return x.size

    x, out = np.ones(3), np.zeros(3)
    scale(x, out, 2.0)
    kernel = evolvable(scale)
    assert (
        str(kernel.signature)
        == 'scale(x: Array[float64, "x_0"], out: InOut[float64, "out_0"], factor: float64) -> int64'
    )
    assert kernel(x, out, 3.0) == 3
    assert out.tolist() == [3.0, 3.0, 3.0]
    kernel.swap("int64_t scale(int64_t n, int64_t m, const double *x, double *o, double f) { o[0] = f; return m; }")
    assert (kernel(x, out, 9.0), out[0]) == (3, 9.0)


@pytest.mark.slow
def test_annotations_of_an_njit_function_come_first():
    """An annotated one need not have been compiled."""

    @evolvable
    @njit
    def add(x: f64, y: f64) -> f64:
        return x + y

    assert add(1.0, 2.0) == 3.0


@pytest.mark.slow
def test_explicit_types_are_a_signature():
    """So need not one with types given to njit."""

    @njit("complex128(complex128, int32)")
    def turn(z, times):
        return z * 1j**times

    assert str(evolvable(turn).signature) == "turn(z: complex128, times: int32) -> complex128"


def test_an_njit_function_without_types_is_asked_for_them():
    """Not compiled yet, or for several lists of types: the message says what to do."""

    @njit
    def add(x, y):
        return x + y

    with pytest.raises(SignatureError, match=r"compiled for: none\); call it once, or annotate it"):
        evolvable(add)
    add(1, 2)
    add(1.0, 2.0)
    with pytest.raises(SignatureError, match=r"compiled for: \(int64, int64\); \(float64, float64\)\); annotate it"):
        evolvable(add)


def test_an_njit_function_of_other_types_is_refused():
    """Numba types without a C form are named."""

    @njit
    def first(x):
        return x[0]

    first((1, 2))
    with pytest.raises(SignatureError, match="parameter 'x'"):
        evolvable(first)
    with pytest.raises(UsageError, match="plain Python function"):
        evolvable(len)


# -- flags ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flag",
    "-S -E -c -emit-llvm -flto -fsyntax-only --version -save-temps -fno-pic -m32 -m16 -I/tmp -include -o -mllvm "
    "-fplugin=x.so -fsanitize=address -DSJ_FRAME=1 -Dsj_cell=1 -D__x86_64__ -std=c99 -x -Xclang -g -v -### "
    "-Wframe-larger-than=9 -Wno-frame-larger-than -finput-charset=latin1 -fno-integrated-as -O2\n-S @file -".split(" "),
)
def test_options_of_no_known_family_are_refused(flag):
    """What would make clang write something else than bitcode is named, with what there is instead."""
    with pytest.raises(UsageError, match=r"flags may have a level like -O2; .* is none of these"):
        Kernel.from_c("double f(double x) { return x + 1; }", flags=["-O2", flag])


@pytest.mark.table
@pytest.mark.parametrize(
    "flag",
    "-O0 -O1 -Os -Oz -Ofast -ffast-math -fno-vectorize -funroll-loops -fno-inline -ffp-contract=fast -march=native "
    "-mtune=generic -mno-fma -mprefer-vector-width=256 -mllvm=-unroll-threshold=200 -DK=7 -Wall".split(),
)
def test_options_of_every_family_compile(flag):
    """An option that is accepted is one that clang takes, in every profile."""
    kernel = Kernel.from_c("double f(double x) { return x + 1; }", flags=[flag])
    for profile in ("safe", "checked", "release"):
        kernel.swap("double f(double x) { double t[3] = {x}; return t[0] + 2; }", profile=profile)
        assert kernel(1.0) == 3.0


# -- pickling ---------------------------------------------------------------------------------------------------------


@evolvable
def square(x: f64) -> f64:
    """The square of x."""
    return x * x


@evolvable(source="double of_pair(const struct Pair *p, double _Complex z) { return p->a * p->b + creal(z); }")
def of_pair(p: Pair, z: c128) -> f64: ...


def apply(kernel, *arguments):
    """What a worker of a pool does."""
    return kernel(*arguments)


@pytest.mark.slow
def test_kernels_cross_a_spawned_process():
    """Under multiprocessing's spawn, kernels, handles, members and frozen ones are arguments like any other."""
    group = sj.Group()

    @group.evolvable
    def up(x: i64) -> i64: ...

    @group.evolvable
    def down(x: i64) -> i64: ...

    group.swap("int64_t up(int64_t x) { return x + 1; } int64_t down(int64_t x) { return x - 1; }")
    cube = square.compile("double square(double x) { return x * x * x; }")
    pair = np.array((3.0, 4.0), Pair.dtype)[()]
    calls = [
        (square, 3.0),
        (cube, 3.0),
        (of_pair, pair, 1 + 2j),
        (of_pair.freeze(), pair, 2 + 2j),
        (group["down"], 5),
        (group.revision(0)["up"], 5),
    ]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.starmap(apply, calls) == [9.0, 27.0, 13.0, 14.0, 4, 6]


@pytest.mark.slow
def test_a_pickle_is_read_by_a_fresh_process(tmp_path):
    """Without the module that declared it, a kernel of object code works, and is compiled by nobody."""
    kernel = Kernel(square.signature, source="double square(double x) { return x * x + 1; }")
    path = tmp_path / "kernel.pickle"
    path.write_bytes(pickle.dumps(kernel))
    program = textwrap.dedent(f"""
        import pickle, sys
        from numba import njit
        started = []
        sys.addaudithook(lambda event, _: started.append(event) if event == "subprocess.Popen" else None)
        kernel = pickle.load(open({str(path)!r}, "rb"))
        revision = kernel.active
        assert revision.entry_address
        assert (kernel(3.0), njit(lambda k: k(2.0))(kernel)) == (10.0, 5.0)
        assert not started
        assert (revision.number, revision.origin, kernel.signature.name) == (0, "declared source", "square")
        kernel.swap("double square(double x) {{ return -x; }}")
        assert kernel(3.0) == -3.0
    """)
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


PROGRAM_WITHOUT_CLANG = """
import pickle, sys
import numpy as np
from numba import njit
from symbiont_jit import PanicError
kernels, handle, revision = pickle.load(open(sys.argv[1], "rb"))
three = np.arange(3.0)
for kernel in (*kernels, handle):
    assert kernel(three) == 3.0 == njit(lambda k, x: k(x))(kernel, three), kernel
    try:
        raise AssertionError(kernel(np.zeros(0)))
    except PanicError as error:
        assert error.panic.kind == "index"
assert revision["low"](1.0) == 2.0 == njit(lambda k: k(1.0))(revision["low"])
try:
    kernels[0].swap("double first(int64_t n, const double *x) { return 1; }")
except Exception as error:
    assert "no usable clang" in str(error), error
else:
    raise AssertionError("a text was compiled without a compiler")
"""

FIRST = (
    "double first(int64_t n, const double x[n]) { double s = x[0]; for (int i = 0; i < n; i++) s += x[i]; return s; }"
)


@pytest.mark.slow
def test_pickles_work_where_there_is_no_compiler(tmp_path):
    """Guarded kernels are called, from Python and compiled code, and panic; only a new text needs clang."""
    kernels = [Kernel.from_c(FIRST, profile=profile) for profile in ("safe", "checked")]
    group = sj.Group()

    @group.evolvable
    def low(x: f64) -> f64: ...

    @group.evolvable
    def high(x: f64) -> f64: ...

    revision = group.swap("double low(double x) { return 2 * x; } double high(double x) { return low(x); }")
    path = tmp_path / "kernels.pickle"
    path.write_bytes(pickle.dumps((kernels, kernels[0].revision(0), revision)))
    nowhere = {**os.environ, "SYMBIONT_JIT_CLANG": "/nowhere/clang"}
    subprocess.run([sys.executable, "-c", PROGRAM_WITHOUT_CLANG, path], check=True, env=nowhere)


@pytest.mark.slow
def test_a_body_is_called_without_a_compiler_too():
    """Calls from Python then take the slow way."""
    program = """
        import numpy as np
        from numba import float64, njit
        from symbiont_jit import Array, evolvable
        exec("def total(x: Array[float64, 'n']) -> float64:\\n    return x.sum()")
        kernel = evolvable(total)
        assert [kernel(np.ones(4)) for _ in range(3)] == [4.0, 4.0, 4.0]
        assert njit(lambda k, x: k(x))(kernel, np.ones(3)) == 3.0
    """
    nowhere = {**os.environ, "SYMBIONT_JIT_CLANG": "/nowhere/clang"}
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, env=nowhere)


@pytest.mark.slow
def test_pickles_keep_numbers():
    """A revision has its number there too; what is added there comes after it."""
    kernel = Kernel.from_c("double f(double x) { return x; }")
    for i in range(1, 5):
        kernel.swap(f"double f(double x) {{ return {i} * x; }}")
    kernel.activate(3)
    again, handle, frozen = pickle.loads(pickle.dumps((kernel, kernel.revision(2), kernel.freeze(4))))
    assert [r.number for r in again.revisions] == [0, 3]
    assert (again.active.number, handle.number, frozen.revision) == (3, 2, 4)
    assert (again(1.0), handle(1.0), frozen(1.0)) == (3.0, 2.0, 4.0)
    assert again.swap("double f(double x) { return 9; }").number == 4
    with pytest.raises(KernelError, match="no revision 1; there is 0 and 3 and 4"):
        again.revision(1)


@pytest.mark.slow
def test_a_python_body_is_pickled_with_what_it_refers_to():
    """A body that only exists here goes by value; the active C revision is the next after it."""
    factor = 5.0

    @evolvable
    def scaled(x: f64) -> f64:
        return factor * x

    assert pickle.loads(pickle.dumps(scaled))(2.0) == 10.0
    scaled.swap("double scaled(double x) { return 7 * x; }")
    again = pickle.loads(pickle.dumps(scaled))
    assert (again(2.0), again.revision(0)(2.0), again.active.number) == (14.0, 10.0, 1)


def test_a_body_that_cannot_be_pickled_is_named():
    """Where the active revision cannot travel, the error says whose body it is."""
    lock = multiprocessing.get_context("fork").Lock()

    @evolvable
    def held(x: f64) -> f64:
        return x if lock else 0.0

    with pytest.raises(pickle.PicklingError, match="'held' cannot be pickled"):
        pickle.dumps(held)
    held.swap("double held(double x) { return x; }")
    assert pickle.loads(pickle.dumps(held))(2.0) == 2.0


def test_a_kernel_without_a_body_is_pickled_as_that():
    """A declaration alone travels too."""

    @evolvable
    def later(x: f64) -> f64: ...

    again = pickle.loads(pickle.dumps(later))
    assert (again.active, again.signature) == (None, later.signature)


# -- how it looks -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shown():
    @evolvable
    def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
        """Inner product of x & y."""
        return 0.0

    dot.compile("double dot(int64_t n, const double x[n], const double y[n]) { return n < 1; }", origin="by <hand>")
    return dot


def swapped(kernel):
    """With a text that somebody gave by hand."""
    kernel.swap("double dot(int64_t n, const double x[n], const double y[n]) { return n < 2; }")
    return kernel


def test_repr_says_what_it_is_and_what_is_active(shown):
    """A kernel's has signature, prototype and the active revision with where it came from; a revision's is one line."""
    assert repr(shown).splitlines() == [
        '<Kernel dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64',
        "  in C:   double dot(int64_t n, const double x[n], const double y[n])",
        "  active: revision 0: python, declared body (2 registered)>",
    ]
    assert repr(shown.active) == "<Revision 0 of dot (python, declared body)>"
    assert repr(shown.revision(1)) == "<Revision 1 of dot (c, safe, by <hand>)>"
    assert "revision 2: c, safe, by hand (3 registered)" in repr(swapped(shown))
    assert repr(shown.freeze(1)) == "<Frozen revision 1 of dot>"


def test_html_is_escaped_and_complete(shown):
    """A notebook shows signature, prototype, origin and source; nothing of a text is markup."""
    shown.activate(1)
    page = shown._repr_html_()
    assert "const double x[n]" in page
    assert "by &lt;hand&gt;" in page
    assert "return n &lt; 1;" in page
    assert "<hand>" not in page
    assert re.search("<td.*2 revisions, .* KiB stored", page)
    assert "by &lt;hand&gt;" in shown.revision(1)._repr_html_()


def test_help_tells_a_person(shown):
    """`help(kernel)` has the docstring, the prototype and what is active now; `help(Kernel)` is about the class."""
    shown.activate(1)
    output = io.StringIO()
    pydoc.Helper(output=output)(shown)
    text = output.getvalue()
    for part in (
        "Inner product of x & y.",
        "double dot(int64_t n, const double x[n], const double y[n])",
        "active: revision 1: c, safe, by <hand> (2 registered)",
    ):
        assert part in text
    assert "All revisions stay" in Kernel.__doc__


def test_an_out_parameter_is_shown_as_declared():
    """Signatures print as they are written."""

    @evolvable
    def fill(out: Out[f64, "n"], p: Pair, q: Out[Pair]) -> None: ...

    assert str(fill.signature) == 'fill(out: Out[float64, "n"], p: Pair, q: Out[Pair]) -> None'
