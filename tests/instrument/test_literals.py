"""Literals have the types that C gives them."""

import pytest

from symbiont_jit import Kernel
from tests.instrument.bodies import PROFILES


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return U'a' - U'b';", 2**32 - 1),
        ("return u'a' - u'b';", -1),
        ("return L'a' - L'b';", -1),
        ("return sizeof(u'a') * 100 + sizeof(U'a') * 10 + sizeof('a');", 244),
        ("return 'ab' / k;", 24930),
    ],
)
@pytest.mark.parametrize("profile", ["release", *PROFILES])
def test_characters_have_the_types_of_their_prefixes(profile, body, expected):
    """A `char32_t` is unsigned, a `char16_t` becomes an int; several characters are an int too."""
    assert Kernel.from_c(f"int64_t k(int64_t k) {{ {body} }}", profile=profile)(1) == expected
