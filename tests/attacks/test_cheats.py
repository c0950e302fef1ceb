"""Speed that was not earned is never bought, and honest work in other words is never refused."""

import pytest

from symbiont_jit import Evolution, Speedup
from symbiont_jit.evaluate.confirm import REFERENCE
from tests.attacks.cheating import KERNELS, texts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def searches():
    """One search for each kernel, with its own Python body as the reference."""
    opened = {name: Evolution(s.kernel, metric=Speedup(s.inputs), seed=3) for name, s in KERNELS.items()}
    yield opened
    for search in opened.values():
        search.close()


PLAIN = {row.kernel: row.text for row in texts("honest") if row.name == f"{row.kernel}_plain"}


@pytest.mark.parametrize("row", list(texts("cheats")), ids=lambda row: row.name)
def test_a_cheat_wins_nothing(searches, row):
    """It is wrong, panics, crashes or is refused, or it is not faster than the plain text measured beside it."""
    search = searches[row.kernel]
    found = search.evaluate(row.text)
    if found.is_valid:
        found, plain = search._evaluator.confirm([found.source, search.evaluate(PLAIN[row.kernel]).source])
        assert plain.is_valid
    assert not found.is_valid or found.gains[REFERENCE].low <= plain.gains[REFERENCE].high, str(found)


@pytest.mark.parametrize("row", list(texts("honest")), ids=lambda row: row.name)
def test_an_honest_text_is_valid(searches, row):
    """Another order of operations, other places for what is in between, more digits: all of it is right."""
    search = searches[row.kernel]
    found = search.evaluate(row.text)
    assert found.is_valid, str(found)
