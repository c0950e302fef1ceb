"""What names mean where an expression stands."""

import pytest

from tests.instrument.bodies import PROFILES, X, compiled, pick

SHADOWED = {
    "behind": ("double a[4] = {0, 1, 2, 3}; { { double a[2] = {8, 9}; if (n < 0) return a[1]; } } return a[k];", 3, 4),
    "within": ("double a[2] = {0, 1}; { { double a[4] = {0, 1, 2, 3}; return a[k]; } } return a[0];", 3, 4),
    "beside": ("{ double a[2] = {0, 1}; if (n < 0) return a[1]; } { double a[4] = {0, 1, 2, 3}; return a[k]; }", 3, 4),
    "smaller again": ("double a[2] = {0, 1}; { double a[4] = {0}; if (n < 0) return a[3]; } return a[k];", 1, 2),
}


@pytest.mark.parametrize(
    ("cast", "value"),
    [("(int8_t)-128", -128), ("(int16_t)-32768", -32768), ("(uint8_t)255", 255), ("(int8_t)127", 127)],
)
def test_an_enumerator_may_be_cast_to_a_type_that_it_fits(cast, value):
    """The least and the greatest number of a type are of it; its value is known to the checks."""
    text = f"  enum {{ OFFSET = {cast} }};\n  double a[OFFSET + 32769] = {{0}};\n  return k + OFFSET + a[0];"
    assert compiled(pick, text, "safe")(X, 1) == 1 + value


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SHADOWED)
def test_a_name_means_what_its_scope_says(name, profile):
    """An array has its own bounds inside of its scope, and the outer one of its name has its own again behind that."""
    text, last, beyond = SHADOWED[name]
    revision = compiled(pick, text, profile)
    assert revision(X, last) == last
    assert not revision(X, beyond)
    assert f"for a with length {beyond}" in revision.take_panic().message
