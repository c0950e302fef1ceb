"""The linker for what clang emits: right code at small size, room that is used again, and no trust in an object."""

import contextlib
import ctypes
import functools
import itertools
import math
import os
import resource
import signal
import struct
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiont_jit import CandidateError
from symbiont_jit.backend import code_memory
from symbiont_jit.backend.clang import BITCODE, OBJECT, clang
from symbiont_jit.backend.elf import symbols
from symbiont_jit.backend.linker import CannotLink, link
from symbiont_jit.c import vocabulary
from symbiont_jit.errors import Diagnostic, Stage
from tests.frontend.test_corpus import ACCEPT, accepted

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


@pytest.fixture
def memory(monkeypatch):
    """Code memory with nothing in it; whatever is linked here is closed here."""
    fresh = code_memory.CodeMemory()
    monkeypatch.setattr(code_memory, "CODE_MEMORY", fresh)
    return fresh


# -- right code -------------------------------------------------------------------------------------------------------

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


@pytest.mark.table
@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("case", CASES)
def test_linked_code_computes_what_was_written(case, flags):
    """Calls, tables, jumps and constants reach what they mean, whatever relocations clang writes them with."""
    text, expected = CASES[case]
    code = linked(text, *FLAGS[flags])
    function = ENTRY(code.addresses[0])
    for k in range(8):
        assert function(k, 1.75) == expected(k, 1.75)
    code.close()


@pytest.mark.table
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_every_accepted_file_can_be_linked(path):
    """Nothing in the corpus needs LLVM's linker."""
    data = accepted(path).object_code.data
    entries = sorted(symbols(data)[0])
    code = link(data, entries, library)
    assert len(code.addresses) == len(entries)
    code.close()


def test_vectorised_loops_find_their_constants():
    """Wide constants are where aligned loads and shuffles expect them."""
    text = """void f(int64_t n, const double *x, double *y, int *z) {
        for (int64_t i = 0; i < n; i++) {
            y[4 * i] = x[4 * i + 3] * 3; y[4 * i + 1] = x[4 * i] + (double)i;
            y[4 * i + 2] = x[4 * i + 2] - 0.5; y[4 * i + 3] = x[4 * i + 1];
        }
        for (int64_t i = 0; i < n; i++) z[i] = z[i] * 7 + (int)i;
    }"""
    n = 103
    x, y, z = np.random.default_rng(0).random((n, 4)), np.empty((n, 4)), np.arange(n, dtype=np.int32)
    code = linked(text)
    function = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 3)(code.addresses[0])
    function(n, *(array.ctypes.data for array in (x, y, z)))
    np.testing.assert_array_equal(y, np.stack([x[:, 3] * 3, x[:, 0] + np.arange(n), x[:, 2] - 0.5, x[:, 1]], axis=1))
    np.testing.assert_array_equal(z, np.arange(n) * 8)
    code.close()


@pytest.mark.parametrize("align", [1, 8, 16, 32, 64, 256, 4096, 1 << 16, 1 << 20])
def test_a_section_has_the_alignment_it_asks_for(align):
    """Constants are aligned as declared, beyond a page too."""
    text = (
        f"static const _Alignas({align}) char table[] = {{1, 2, 3}};"
        f"double f(int64_t k, double x) {{ return (uintptr_t)(table + k) % {align}; }}"
    )
    one, other = linked(text, "-O0"), linked(text, "-O0")
    assert ENTRY(one.addresses[0])(0, 0) == ENTRY(other.addresses[0])(0, 0) == 0
    one.close()
    other.close()


def test_an_object_may_have_several_entries():
    """Addresses come in the order that was asked for."""
    text = "double g(int64_t k, double x) { return -x; }" + SQUARE
    for entries in (("f", "g"), ("g", "f"), ("g",), ()):
        code = linked(text, entries=entries)
        assert [ENTRY(a)(0, 3.0) for a in code.addresses] == [{"f": 9.0, "g": -3.0}[name] for name in entries]
        code.close()


@pytest.mark.parametrize("flags", [(), ("-fno-pic",)])
def test_absolute_symbols_keep_their_value(flags):
    """A symbol without a section is a number, and fits where an address would not."""
    text = '__asm__(".globl here\\n.set here, 0x1234"); extern const char here[];'
    code = linked(text + "double f(int64_t k, double x) { return (uintptr_t)here; }", *flags)
    assert ENTRY(code.addresses[0])(0, 0) == 0x1234
    code.close()


def test_a_library_may_be_far_away(memory):
    """A call reaches what 32 bits do not: through a stub or a slot."""
    start = code_memory._LIBC.mmap(1 << 44, code_memory.CHUNK, code_memory._RUN, code_memory._PRIVATE, -1, 0)
    memory.chunks.append(code_memory.Chunk(start, start + code_memory.CHUNK, [(start, start + code_memory.CHUNK)]))
    assert abs(start - library("sin")) > 1 << 32
    for flags in FLAGS.values():
        code = linked(CASES["library"][0], *flags)
        assert start <= code.addresses[0] < start + code_memory.CHUNK
        assert ENTRY(code.addresses[0])(3, 0.5) == CASES["library"][1](3, 0.5)
        code.close()


# -- refused ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "data": ("static double s[2] = {1, 2}; double f(int64_t k, double x) { return s[k] += x; }",),
    "bss": ("static double s[2]; double f(int64_t k, double x) { return s[k] += x; }",),
    "thread-local": ("_Thread_local double s[2]; double f(int64_t k, double x) { return s[k] += x; }",),
    "common": ("double s[2]; double f(int64_t k, double x) { return s[k] += x; }", "-fcommon"),
    "constructor": ("__attribute__((constructor)) void g(void) { volatile double y = 1; y += 1; }" + SQUARE,),
    "indirect": (
        "static double g(int64_t k, double x) { return x; } static void *choose(void) { return g; }"
        'double f(int64_t k, double x) __attribute__((ifunc("choose")));',
    ),
    "not independent of position": (CASES["table"][0], "-fno-pic"),
    "no such entry": ("double g(int64_t k, double x) { return x; }",),
    "static entry": ("static __attribute__((used)) " + SQUARE,),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_is_refused(memory, case):
    """State, other kinds of symbols and addresses of 32 bits are left to another linker, and take no room."""
    with pytest.raises(CannotLink):
        linked(*REFUSED[case])
    assert all(chunk.free == [(chunk.start, chunk.end)] for chunk in memory.chunks)


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


@pytest.mark.parametrize(
    ("form", "index", "value"),
    [
        *(
            (HEADER, index, value)
            for index, value in [(0, 0), (1, 0x10101), (1, 0x10202), (1, 0x09010102), (4, 3), (5, 183)]
        ),
        *((HEADER, index, value) for index, value in [(9, 1 << 40), (14, 40), (15, 0), (15, 999), (16, 99)]),
        *((SECTION, 1, value) for value in (9, 11, 14, 15, 16, 0x40000014)),
        *((SECTION, 2, value) for value in (0x3, 0x402, 0x802, 0x8000_0002)),
        *((SECTION, 4, value) for value in (1 << 20, 1 << 63)),
        *((SECTION, 5, value) for value in (1 << 20, 1 << 63)),
        *((SECTION, 8, value) for value in (3, 1 << 30, 1 << 63)),
        *((SYMBOL, 1, kind) for kind in (0x15, 0x16, 0x1A, 0x1F)),
        *((SYMBOL, 3, section) for section in (99, 0xFF02, 0xFFF2, 0xFFFF)),
        *((SYMBOL, index, 1 << 30) for index in (0, 4)),
        *((RELOCATION, 0, value) for value in (0x7FFFFFFF, 1 << 63)),
        *((RELOCATION, 1, kind) for kind in (3, 8, 10, 19, 37, 200)),
        *((RELOCATION, 2, value) for value in (99, 1 << 31)),
        *((RELOCATION, 3, value) for value in (1 << 40, 1 << 62)),
    ],
)
def test_a_table_that_says_something_else_is_refused(form, index, value):
    """Another kind of file, section, symbol or relocation, and places and sizes outside what they are in."""
    data = compiled(CASES["library"][0])
    for kind, place in rows(data):
        if kind is form:
            data = changed(data, kind, place, index, value)
    with pytest.raises(CannotLink):
        link(data, ["f"], library)


@pytest.mark.parametrize("kind", [9, 19, 0x40000014])
def test_relocations_of_another_form_are_refused(kind):
    """Tables without addends and compact ones are not taken for no table."""
    data = compiled(CASES["library"][0])
    for form, place in rows(data):
        if form is SECTION and form.unpack_from(data, place)[1] == 4:
            data = changed(data, form, place, 1, kind)
    with pytest.raises(CannotLink):
        link(data, ["f"], library)


def test_a_relocation_ends_inside_its_section():
    """The last byte of a section is not the first of a field."""
    data = compiled(CASES["tail"][0])
    ((place),) = (place for form, place in rows(data) if form is RELOCATION)
    link(changed(data, RELOCATION, place, 0, 1), ["f"], library).close()
    with pytest.raises(CannotLink):
        link(changed(data, RELOCATION, place, 0, 2), ["f"], library)


def test_a_relocation_of_type_none_is_none():
    """R_X86_64_NONE changes nothing, whatever else its row says."""
    data = compiled(CASES["tail"][0])
    ((place),) = (place for form, place in rows(data) if form is RELOCATION)
    data = changed(changed(data, RELOCATION, place, 1, 0), RELOCATION, place, 0, 1 << 60)
    link(data, ["f"], library).close()


@pytest.mark.slow
@pytest.mark.parametrize("case", ["library", "pointers", "switch", "table"])
def test_any_value_in_any_field_is_linked_or_refused(case):
    """Nothing that a table can say leads to another exception."""
    data = compiled(CASES[case][0])
    for form, place in rows(data):
        for index, letter in enumerate(form.format[1:]):
            top = 1 << 8 * struct.calcsize(letter)
            for value in {*range(12), top // 2 - 1, top // 2, top - 8, top - 1, len(data) - 1, len(data)}:
                with contextlib.suppress(CannotLink, CandidateError):  # the latter for a name
                    link(changed(data, form, place, index, value % top), ["f"], library).close()


def test_what_is_no_object_is_refused():
    """Bitcode, text and nothing are not objects."""
    for data in (compiled(SQUARE, emit=BITCODE), SQUARE.encode(), b"", b"\x7fELF"):
        with pytest.raises(CannotLink):
            link(data, ["f"], library)


def test_a_name_that_nobody_knows_is_the_callers_answer(memory):
    """What `address_of` raises passes, and no room is lost."""
    with pytest.raises(CandidateError, match="no nowhere"):
        linked("double nowhere(double); double f(int64_t k, double x) { return nowhere(x); }")
    assert [chunk.free for chunk in memory.chunks] == [[(chunk.start, chunk.end)] for chunk in memory.chunks]


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_object_is_linked_or_refused(data):
    """Whatever bytes an object has, nothing else comes of it."""
    case = data.draw(st.sampled_from(sorted(CASES)))
    damaged = bytearray(compiled(CASES[case][0], *FLAGS[data.draw(st.sampled_from(sorted(FLAGS)))]))
    tables = struct.unpack_from("<Q", damaged, 40)[0]  # the table of sections is where the most can go wrong
    places = st.one_of(st.integers(0, 63), st.integers(64, len(damaged) - 1), st.integers(tables, len(damaged) - 1))
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=4)):
        damaged[place] = value
    if data.draw(st.integers(0, 9)) == 0:
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    try:
        code = link(bytes(damaged), ["f"], library)
    except (CannotLink, CandidateError):  # the latter of a damaged name
        return
    assert code.size <= 1 << 24
    code.close()


# -- memory -----------------------------------------------------------------------------------------------------------


def executable(address=None):
    """The bytes of anonymous memory that can be run, or of those the ones around an address; none can be written."""
    total = 0
    with open("/proc/self/maps") as file:
        for line in file:
            span, rights, _, _, inode, *_ = line.split()
            low, high = (int(end, 16) for end in span.split("-"))
            if rights[2] == "x" and inode == "0" and (address is None or low <= address < high):
                assert rights == "r-xp" or address is None
                total += high - low
    return total


@pytest.mark.slow
def test_thousands_of_objects_take_the_size_of_their_code(memory):
    """An object of a KiB costs its sections and slots, not a page of its own."""
    data = compiled(CASES["library"][0])
    codes = [link(data, ["f"], library) for _ in range(3000)]
    assert max(code.size for code in codes) < 1 << 10
    assert len({code.addresses for code in codes}) == 3000
    assert len(memory.chunks) == -(-sum(code.size for code in codes) // code_memory.CHUNK)
    assert {ENTRY(code.addresses[0])(3, 0.5) for code in codes} == {CASES["library"][1](3, 0.5)}
    for code in codes:
        code.close()


def test_room_is_used_again(memory):
    """A closed object leaves breakpoints, and the next of its size takes its place."""
    first, second, third = (linked(SQUARE) for _ in range(3))
    address = second.addresses[0]
    second.close()
    assert ctypes.string_at(address, second.size) == b"\xcc" * second.size
    assert ENTRY(first.addresses[0])(0, 3.0) == ENTRY(third.addresses[0])(0, 3.0) == 9.0
    again = linked(SQUARE)
    assert again.addresses == (address,)
    assert ENTRY(address)(0, 3.0) == 9.0
    for code in (first, third, again):
        code.close()


def test_closing_twice_does_nothing(memory):
    """The second time does not take the place from whoever has it now."""
    first = linked(SQUARE)
    first.close()
    second = linked(SQUARE)
    assert second.addresses == first.addresses
    first.close()
    assert ENTRY(second.addresses[0])(0, 3.0) == 9.0
    third = linked(SQUARE)
    assert third.addresses != second.addresses
    for code in (second, third):
        code.close()


def test_a_chunk_goes_with_its_last_object(memory):
    """Memory is given back to the system, except the last chunk; and none of it can be written meanwhile."""
    before = executable()
    text = "static const char table[100000] = {1}; double f(int64_t k, double x) { return table[k]; }"
    codes = [linked(text) for _ in range(25)]
    assert len(memory.chunks) == 3
    assert executable() - before == 3 * code_memory.CHUNK
    assert all(executable(code.addresses[0]) for code in codes)
    for code in codes:
        code.close()
    assert len(memory.chunks) == 1
    assert executable() - before == code_memory.CHUNK


@pytest.mark.slow
def test_a_big_object_has_a_chunk_of_its_own(memory):
    """An object of more than a chunk is linked, found right and given back whole."""
    text = f"static const char table[{2 << 20}] = {{[{(2 << 20) - 1}] = 42}};"
    code = linked(text + "double f(int64_t k, double x) { return table[k]; }")
    assert code.size > 2 << 20
    assert [ENTRY(code.addresses[0])(k, 0) for k in (0, (2 << 20) - 1)] == [0, 42]
    code.close()
    assert memory.chunks == []
    assert not executable(code.addresses[0])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 200_000), st.sampled_from([64, 256, 4096]), st.integers(0, 5)), max_size=60))
def test_places_never_overlap(steps):
    """Whatever is taken and given back, places are apart and aligned, and in the end all is one range again."""
    memory, held = code_memory.CodeMemory(), []
    for size, align, closes in steps:
        held.append(memory.take(-(-size // 64) * 64, align))
        assert held[-1].start % align == 0
        ranges = sorted((place.start, place.start + place.size) for place in held)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(ranges))
        for _ in range(min(closes - 3, len(held))):
            memory.give(held.pop(size % len(held)))
    for place in held:
        memory.give(place)
    assert [chunk.free for chunk in memory.chunks] == [[(chunk.start, chunk.end)] for chunk in memory.chunks]
    assert len(memory.chunks) <= 1


def test_where_the_system_refuses_it_is_asked_once():
    """A process that may not make memory both writable and executable cannot link, and remembers why."""
    code = """
        import ctypes, sys
        from symbiont_jit.backend import code_memory, linker
        data = sys.stdin.buffer.read()
        if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0:  # PR_SET_MDWE, Linux 6.3
            sys.exit(77)
        for _ in range(2):
            try:
                linker.link(data, ["f"], None)
            except linker.CannotLink as error:
                print(error, code_memory.CODE_MEMORY.refusal, end=" \\n")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], input=compiled(SQUARE), capture_output=True)
    if done.returncode == 77:
        pytest.skip("this kernel has no such rule")
    assert done.stdout.decode().splitlines() == ["mprotect: Permission denied " * 2] * 2, done.stderr


@pytest.mark.slow
def test_a_lack_of_memory_passes(memory):
    """Without memory an object cannot be linked; with memory again it can."""
    text = f"static const char table[{8 << 20}] = {{1}}; double f(int64_t k, double x) {{ return table[k]; }}"
    data = compiled(text)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 20, limits[1]))
    try:
        with pytest.raises(CannotLink):
            link(data, ["f"], library)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    code = link(data, ["f"], library)
    assert ENTRY(code.addresses[0])(0, 0) == 1
    code.close()


# -- beside running code ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_other_threads_run_while_objects_are_linked(memory):
    """Code in the same pages goes on while objects come and go there."""
    busy = "double f(int64_t k, double x) { for (int64_t i = 0; i < k; i++) x = x * 0.5 + sin(x); return x; }"
    function = ENTRY(linked(busy).addresses[0])
    expected, wrong, calls, stop = function(2000, 1.0), [], [], threading.Event()

    def run():
        while not stop.is_set():
            wrong.extend(result for result in (function(2000, 1.0), function(0, 3.0)) if result not in (expected, 3.0))
            calls.append(1)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    kept = []
    for k in itertools.count():
        if k >= 500 and len(calls) >= 200:
            break
        code = linked(SQUARE)
        assert ENTRY(code.addresses[0])(0, 3.0) == 9.0
        if k % 50:
            code.close()
        else:
            kept.append(code)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    running = ctypes.cast(function, ctypes.c_void_p).value
    assert kept[0].addresses[0] // resource.getpagesize() == running // resource.getpagesize()
    assert {ENTRY(code.addresses[0])(0, 3.0) for code in kept} == {9.0}


@pytest.mark.slow
def test_threads_may_link_and_close_at_the_same_time(memory):
    """Every thread gets its own place, and all room is one range again afterwards."""
    wrong = []

    def work(k):
        data = compiled(f"double f(int64_t k, double x) {{ return x + {k}; }}")
        for _ in range(200):
            codes = [link(data, ["f"], library) for _ in range(3)]
            wrong.extend(code for code in codes if ENTRY(code.addresses[0])(0, 0.0) != k)
            for code in codes:
                code.close()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert not wrong
    linked(SQUARE).close()  # what was closed while another thread was at work is free by now
    assert [chunk.free for chunk in memory.chunks] == [[(chunk.start, chunk.end)] for chunk in memory.chunks]


def in_child(work):
    """Run in a forked process and say whether it went well; one that hangs ends by itself."""
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_child_changes_its_own_copy():
    """What a child links and closes leaves the code of its parent as it was."""
    code = linked(CASES["library"][0])
    before = ctypes.string_at(code.addresses[0], 64)

    def work():
        same = ENTRY(code.addresses[0])(3, 0.5) == CASES["library"][1](3, 0.5)
        code.close()
        gone = ctypes.string_at(code.addresses[0], 64) == b"\xcc" * 64
        others = [linked(SQUARE) for _ in range(100)]
        return same and gone and all(ENTRY(other.addresses[0])(0, 3.0) == 9.0 for other in others)

    assert in_child(work)
    assert ctypes.string_at(code.addresses[0], 64) == before
    assert ENTRY(code.addresses[0])(3, 0.5) == CASES["library"][1](3, 0.5)
    code.close()


@pytest.mark.slow
def test_a_fork_finds_the_arena_free_and_whole():
    """A child that is forked while another thread links can link too."""
    stop = threading.Event()
    data = compiled(SQUARE)

    def run():
        while not stop.is_set():
            link(data, ["f"], library).close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert all(in_child(lambda: ENTRY(linked(SQUARE).addresses[0])(0, 3.0) == 9.0) for _ in range(20))
    finally:
        stop.set()
        thread.join()
