"""Relocations: right code at its place, and what is left to another linker."""

import ctypes

import numpy as np
import pytest

from symbiont_jit.backend import code_memory
from symbiont_jit.backend.linker import CannotLink, link
from tests.backend.linking import (
    CASES,
    ENTRY,
    FLAGS,
    RELOCATION,
    SECTION,
    SQUARE,
    changed,
    compiled,
    library,
    linked,
    rows,
)

# -- right code -------------------------------------------------------------------------------------------------------


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
