"""What a search may expect of every proposer: new texts, the same for the same seed, and patience with what it is told."""

import numpy as np
import pytest

from symbiont_jit import Mutator, UsageError
from symbiont_jit.evaluate.evaluation import Evaluation, Status
from symbiont_jit.frontend import canonical_source
from symbiont_jit.propose.base import Parent
from symbiont_jit.signature import signature_of
from tests.kernels import DOT, MATMUL, SORT, dot, matmul, sort

PROPOSERS = {"mutator": Mutator}
COUNT = 25


@pytest.fixture(params=PROPOSERS)
def make(request):
    """What makes a new proposer of one kind."""
    return PROPOSERS[request.param]


@pytest.fixture(params=[(dot, DOT), (matmul, MATMUL), (sort, SORT)], ids=["dot", "matmul", "sort"])
def given(request):
    """A signature with a parent."""
    signature = signature_of(request.param[0])
    return signature, Parent(canonical_source(request.param[1], signature).text, 1.0, 4)


def ask(proposer, given, seed=0):
    signature, parent = given
    rng = np.random.default_rng(seed)
    return [proposer.ask(signature, [parent], rng) for _ in range(COUNT)]


def test_texts_are_new(make, given):
    """No two candidates are equal, none is its parent, and each says where it comes from and has no number yet."""
    candidates = [c for c in ask(make(), given) if c is not None]
    assert len(candidates) > COUNT // 2
    assert len({c.source for c in candidates} | {given[1].source}) == len(candidates) + 1
    assert {(c.number, c.parent) for c in candidates} == {(0, given[1].number)}
    assert all(c.origin for c in candidates)


def test_a_seed_repeats_a_run(make, given):
    """Everything random comes from the generator that is passed."""
    assert ask(make(), given) == ask(make(), given)
    assert ask(make(), given) != ask(make(), given, seed=1)


def test_parents_are_wanted(make, given):
    """Without a text to begin with there is nothing to say but what is missing."""
    with pytest.raises(UsageError, match="to start from"):
        make().ask(given[0], [], np.random.default_rng(0))


@pytest.mark.parametrize("status", Status)
def test_any_outcome_can_be_told(make, given, status):
    """Whatever became of candidates, the next ones come as before."""
    proposer = make()
    candidate = ask(proposer, given)[0]
    score = 2.0 if status is Status.VALID else None
    for gain in (None, 0.5, 1.0, float("inf")):
        proposer.tell(candidate, Evaluation(candidate.source, status, score), gain)
    assert any(ask(proposer, given, seed=1))
