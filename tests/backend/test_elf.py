"""Objects whose tables say something else, and what is no object."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiont_jit import CandidateError
from symbiont_jit.backend.clang import BITCODE
from symbiont_jit.backend.linker import CannotLink, link
from tests.backend.linking import (
    CASES,
    FLAGS,
    HEADER,
    RELOCATION,
    SECTION,
    SQUARE,
    SYMBOL,
    changed,
    compiled,
    library,
    rows,
)


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


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
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
