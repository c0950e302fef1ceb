"""Speed that was not earned is never bought, and honest work in other words is never refused."""

import pytest

from symbiont_jit import Evolution, Speedup
from tests.attacks.cheating import KERNELS, judge_beside_plain, texts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def searches():
    """One search for each kernel, with its own Python body as the reference."""
    opened = {name: Evolution(s.kernel, metric=Speedup(s.inputs), seed=3) for name, s in KERNELS.items()}
    yield opened
    for search in opened.values():
        search.close()


@pytest.mark.parametrize("row", list(texts("cheats")), ids=lambda row: row.name)
def test_a_cheat_wins_nothing(searches, row):
    """It is wrong, panics, crashes or is refused, or it is not faster than the plain text measured beside it."""
    found, is_won = judge_beside_plain(searches[row.kernel], row)
    assert not is_won, str(found)


@pytest.mark.parametrize("row", list(texts("honest")), ids=lambda row: row.name)
def test_an_honest_text_is_valid(searches, row):
    """Another order of operations, other places for what is in between, more digits: all of it is right."""
    search = searches[row.kernel]
    found = search.evaluate(row.text)
    assert found.is_valid, str(found)
