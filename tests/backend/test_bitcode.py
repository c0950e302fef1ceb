"""Where bitcode ends."""

import pytest

from symbiont_jit.backend.bitcode import bitcode_size
from symbiont_jit.backend.clang import clang
from tests.backend.compiling import SQUARE


@pytest.fixture(scope="module")
def bitcode():
    """The bitcode of a small function."""
    return clang().lower(SQUARE)


def test_a_module_ends_where_its_last_byte_is(bitcode):
    """Of every beginning of a module it is said that the end is not there yet; what comes behind is not counted."""
    assert {bitcode_size(bitcode[:length]) for length in range(len(bitcode))} == {None}
    assert bitcode_size(bitcode) == bitcode_size(bitcode + bitcode) == len(bitcode)


@pytest.mark.parametrize("data", [b"\x7fELF", b"B?", b"BC\xc0\xde" + bytes(8)])
def test_what_is_no_bitcode_is_an_error(data):
    """A wrong beginning is found out at its first bytes."""
    with pytest.raises(ValueError, match="bitcode"):
        bitcode_size(data)
