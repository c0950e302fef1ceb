"""The runtime's C is read from files, and candidates get the part of it that they use."""

import re

import pytest

from symbiont_jit.backend.clang import SYNTAX, clang
from symbiont_jit.backend.unit import Unit
from symbiont_jit.runtime.checks import HEADER, runtime
from symbiont_jit.runtime.sources import NUMBERS, ROOT, _pieces, expand, include, list_included, select

CHECKS = sorted(name for name in _pieces(HEADER) if name.startswith("sj_"))


def test_a_file_is_included_once():
    """Two files that include the same one bring it once, without comments, guards and system headers."""
    text = expand('#include "runtime/checks.h"\n#include "runtime/arena.h"\nint last;\n')
    assert text.count("struct sj_frame\n{") == 1
    assert not re.search(r"/\*|//|#include|#pragma", text)
    assert text.endswith("\nint last;\n")


def test_what_is_given_is_not_included():
    """The arena of instrumented code brings nothing that the checks have brought already."""
    text = include("runtime/instrumented_arena.h", given=list_included(HEADER))
    assert "struct sj_arena\n{" in text
    assert "struct sj_frame\n{" not in text


def test_pieces_are_the_whole_header():
    """Taking a header apart loses nothing, and each piece ends what it begins."""
    pieces = _pieces(HEADER)
    assert "".join(piece for piece, _ in pieces.values()) == include(HEADER)
    assert all(piece.count("{") == piece.count("}") for piece, _ in pieces.values())
    assert select(" ".join(pieces), HEADER) == include(HEADER)


@pytest.mark.table
@pytest.mark.parametrize("name", CHECKS)
def test_a_check_brings_what_it_needs(name):
    """The part of the header that one check needs compiles for itself."""
    assert not isinstance(clang().lower(Unit(runtime(name), ()).c_text(), SYNTAX, ("-DSJ_FRAME=16384",)), list)


def test_a_check_brings_no_other():
    """A text that only divides gets no other check."""
    text = runtime("sj_divi32(sj_f, 1, a, b)")
    assert "SJ_DIVISION(sj_divi32, int32_t" in text
    assert not re.search(r"sj_remi32|sj_divi64|sj_index|sj_step|sj_open_call", text)


def test_numbers_are_read_from_their_file():
    """Every number of the file is known to Python by its name."""
    names = re.findall(r"^#define (\w+)", (ROOT / "runtime/limits.h").read_text(), re.MULTILINE)
    assert set(names) == set(NUMBERS)
    assert (NUMBERS["SJ_INTERRUPTED"], NUMBERS["SJ_THREADS"]) == (-1, 4096)
    assert (NUMBERS["SJ_NO_STACK"], NUMBERS["SJ_ARENA_BYTES"]) == (1 << 62, 64 << 20)
