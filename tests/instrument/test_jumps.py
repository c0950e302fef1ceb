"""Jumps that would leave something without a value are refused."""

import pytest

from symbiont_jit import CandidateError
from tests.instrument.bodies import PROFILES, compiled, pick

#: Lengths that name nothing, or only a type, and of which some are constants for C and some are not.
LENGTHS = [
    "(int)500.5", "1.0 ? 600 : 3", '"abc"[0] * 6', "(long)4294967296 / 7158278", "sizeof(double) * 75 * (int)1.5",
    "(int){600}", "!!1.5 * 600", "4294967896 % 4294967296", "1 + sizeof(struct S)",
]  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("array", ["a[{}]", "a[2][{}]"])
@pytest.mark.parametrize("length", LENGTHS)
def test_no_jump_goes_back_past_an_array_that_may_be_variable(length, array, profile):
    """The jump would give the array's room back, and what points there would point at nothing."""
    body = (
        "  struct S { double a[9]; };\n  int64_t *p = 0;\nagain:\n  if (p)\n    return p[0];\n"
        f"  int64_t {array.format(length)};\n  p = {'a' if array.count('[') == 1 else 'a[0]'};\n  goto again;"
    )
    with pytest.raises(CandidateError) as caught:
        compiled(pick, body, profile)
    assert caught.value.diagnostics[0].rule in ("untraceable", "compiler")
