"""Instrumented trees as C text."""

import pytest

from tests.instrument.bodies import HEADS, PROFILES, X, pick


@pytest.mark.parametrize("profile", ["release", *PROFILES])
def test_the_operand_of_sizeof_keeps_its_parentheses(profile):
    """A subscript binds closer than sizeof does, so a number that sizeof gives is an index only in parentheses."""
    text = f"{HEADS[pick]}  int16_t a[9] = {{0}};\n  return sizeof((sizeof k)[a]) + 100 * sizeof((sizeof(int64_t))[a]);\n}}\n"
    assert pick.compile(text, profile)(X, 0) == 202.0
