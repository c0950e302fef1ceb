"""Loops of checked code count their steps."""

import pytest

from symbiont_jit import Kernel, UsageError
from symbiont_jit.engine.target import target_of
from tests.instrument.bodies import ENDLESS, X, compiled, pick


@pytest.mark.usefixtures("loader")
def test_fuel_is_counted():
    """With a limit of steps, an endless loop of `checked` code ends at the same place every time."""
    revision = compiled(pick, ENDLESS, "checked")
    target_of(pick).limit_steps(1000)
    try:
        for _ in range(3):
            assert revision(X, 0) == 0.0
            panic = revision.take_panic()
            assert (panic.kind, panic.line) == ("endless", 3)
    finally:
        target_of(pick).limit_steps(None)


UNENDING = "int64_t k(int64_t i)\n{\n  while (i < 1000) i = i / 2;\n  return i;\n}\n"


def test_checked_code_ends_by_itself():
    """In the user's own process too a call of `checked` code has a limit of steps, which the user may set."""
    kernel = Kernel.from_c(UNENDING, profile="checked", on_panic="zero")
    assert kernel.step_limit == 5_000_000_000
    kernel.step_limit = 100_000
    assert (kernel(1), kernel.take_panic().kind, kernel.step_limit) == (0, "endless", 100_000)
    assert kernel(1000) == 1000
    kernel.step_limit = None
    assert kernel.step_limit is None


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "many"])
def test_a_limit_of_steps_is_a_number(limit):
    """Anything else is refused, and the limit stays."""
    kernel = Kernel.from_c(UNENDING, profile="checked", on_panic="zero")
    with pytest.raises(UsageError, match="a limit of steps is a number above 0 or None"):
        kernel.step_limit = limit
    assert kernel.step_limit == 5_000_000_000
