"""Objects that clang emits, and how they are linked."""

import ctypes
import functools
import math
import struct

import numpy as np

from symbiont_jit import CandidateError
from symbiont_jit.backend.clang import OBJECT, clang
from symbiont_jit.backend.linker import link
from symbiont_jit.c import vocabulary
from symbiont_jit.errors import Diagnostic, Stage

LIBRARY = ctypes.CDLL("libm.so.6")
ENTRY = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, ctypes.c_double)
SQUARE = "double f(int64_t k, double x) { return x * x; }"


def library(name):
    """The address of a function of libm or libc, and nothing else."""
    try:
        return ctypes.cast(getattr(LIBRARY, name), ctypes.c_void_p).value
    except AttributeError:
        raise CandidateError(Stage.LINK, [Diagnostic(Stage.LINK, "call", f"no {name}")], "") from None


@functools.cache
def compiled(text, *flags, emit=OBJECT):
    data = clang().lower(vocabulary.prelude(text) + text, emit, flags)
    assert isinstance(data, bytes), data
    return data


def linked(text, *flags, entries=("f",)):
    return link(compiled(text, *flags), entries, library)


#: What clang has to know of, as C and as Python.
CASES = {
    "scalar": ("double f(int64_t k, double x) { return x * x + k; }", lambda k, x: x * x + k),
    "library": (
        "double f(int64_t k, double x) { double s = 0; for (int64_t i = 0; i <= k; i++)"
        " s += sin(x * i) + pow(x, i) + exp2(x); return s; }",
        lambda k, x: functools.reduce(lambda s, i: s + (math.sin(x * i) + x**i + math.exp2(x)), range(k + 1), 0.0),
    ),
    "tail": ("double f(int64_t k, double x) { return sin(x); }", lambda k, x: math.sin(x)),
    "pointer": (
        "double f(int64_t k, double x) { double (*g)(double) = k & 1 ? sin : cos; return g(x); }",
        lambda k, x: math.sin(x) if k & 1 else math.cos(x),
    ),
    "pointers": (
        "typedef double (*function)(double); static double half(double x) { return x / 2; }"
        "static const function table[4] = {sin, half, cos, half};"
        "double f(int64_t k, double x) { return table[k & 3](x); }",
        lambda k, x: (math.sin(x), x / 2, math.cos(x), x / 2)[k & 3],
    ),
    "table": (
        "static const double table[8] = {1, 2, 4, 8, 16, 32, 64, 128};"
        "double f(int64_t k, double x) { return table[k & 7] * x; }",
        lambda k, x: 2 ** (k & 7) * x,
    ),
    "public table": (
        "const double table[3] = {1, 2, 3}; double f(int64_t k, double x) { return table[k % 3] * x; }",
        lambda k, x: (k % 3 + 1) * x,
    ),
    "switch": (
        "double f(int64_t k, double x) { switch (k) { case 0: return sin(x); case 1: return cos(x); case 2: return x;"
        " case 3: return 1 / x; case 4: return exp2(x); case 5: return 5; } return -1; }",
        lambda k, x: (math.sin(x), math.cos(x), x, 1 / x, math.exp2(x), 5, -1)[min(k, 6)],
    ),
    "labels": (
        "double f(int64_t k, double x) { static const void *const label[] = {&&one, &&two, &&three};"
        " goto *label[k % 3]; one: return x; two: return 2 * x; three: return 3 * x; }",
        lambda k, x: (k % 3 + 1) * x,
    ),
    "string": ('double f(int64_t k, double x) { return "symbiont"[k & 7]; }', lambda k, x: ord("symbiont"[k & 7])),
    "strings": (
        'typedef struct { const char *name; double value; } row; static const row rows[] = {{"ab", 1}, {"cd", 2}};'
        "double f(int64_t k, double x) { return rows[k & 1].value * x + rows[k & 1].name[1]; }",
        lambda k, x: ((k & 1) + 1) * x + ord("bd"[k & 1]),
    ),
    "constants": (
        "double f(int64_t k, double x) { return (float)x * 1.5f + k * 0.25 - 3.75; }",
        lambda k, x: float(np.float32(x) * np.float32(1.5)) + k * 0.25 - 3.75,
    ),
    "recursion": (
        "double f(int64_t k, double x) { return k < 1 ? x : f(k - 1, x * 1.25) + f(k - 2, x); }",
        lambda k, x: x if k < 1 else CASES["recursion"][1](k - 1, x * 1.25) + CASES["recursion"][1](k - 2, x),
    ),
    "helper": (
        "__attribute__((noinline)) static double g(double x) { return x * x; }"
        "double f(int64_t k, double x) { return g(x) + g(x + k); }",
        lambda k, x: x * x + (x + k) * (x + k),
    ),
}
#: Each asks for other relocations: stubs, slots, slots that are not to be relaxed, 64-bit offsets, more sections.
FLAGS = {
    "default": (),
    "no-plt": ("-fno-plt",),
    "no-relax": ("-fno-plt", "-Wa,-mrelax-relocations=no"),
    "medium": ("-mcmodel=medium", "-mlarge-data-threshold=0"),
    "large": ("-mcmodel=large",),
    "sections": ("-ffunction-sections", "-fdata-sections", "-funwind-tables", "-g"),
    "O0": ("-O0",),
}
#: Rows of an object's tables: the header, and by type of section; None is the table of sections itself.
HEADER, SECTION, SYMBOL, RELOCATION = map(struct.Struct, ("<IIIIHHIQQQIHHHHHH", "<IIQQQQIIQQ", "<IBBHQQ", "<QIIQ"))


def rows(data):
    """Every row of every table as its form and its offset."""
    at, count = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<H", data, 60)[0]
    yield HEADER, 0
    for place in range(at, at + count * SECTION.size, SECTION.size):
        yield SECTION, place
        _, kind, _, _, offset, size, *_ = SECTION.unpack_from(data, place)
        form = {2: SYMBOL, 4: RELOCATION}.get(kind)
        if form is not None:
            yield from ((form, row) for row in range(offset, offset + size, form.size))


def changed(data, form, place, index, value):
    """The same object with another value in one field of a row."""
    fields = list(form.unpack_from(data, place))
    fields[index] = value
    return data[:place] + form.pack(*fields) + data[place + form.size :]
