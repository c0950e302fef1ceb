"""Ensembles: which member is asked."""

import pytest

import symbiont_jit as sj
from symbiont_jit.agents.ensemble import Ensemble
from symbiont_jit.testing import ScriptedAgent
from tests.agents.asking import conversation, run


def models(ensemble, indices):
    return [run(ensemble, conversation(i)).model for i in indices]


def members():
    return [(ScriptedAgent([name], loop=True, model=name), weight) for name, weight in (("a", 3), ("b", 1))]


def test_an_ensemble_draws_by_weight():
    """Three to one is three to one, in the long run."""
    drawn = models(Ensemble(members(), seed=1), range(400))
    assert 260 <= drawn.count("a") <= 340


def test_an_ensemble_draws_by_its_seed():
    """The same seed draws the same for the same conversations in any order; another seed draws otherwise."""
    drawn = models(Ensemble(members(), seed=1), range(50))
    assert models(Ensemble(members(), seed=1), reversed(range(50))) == drawn[::-1]
    assert models(Ensemble(members(), seed=2), range(50)) != drawn


def test_an_ensemble_draws_anew_for_an_equal_conversation():
    """Lanes with the same prompt do not all go to the same model."""
    assert set(models(Ensemble(members()), [0] * 30)) == {"a", "b"}


def test_an_ensemble_names_members_without_a_model():
    """Any async function is a member, and the reply says which."""

    async def someone(messages):
        return "x"

    assert run(Ensemble([(someone, 1)])).model == "someone"


@pytest.mark.parametrize("weights", [[], [0], [-1, 2], [float("nan")], [float("inf")]], ids=str)
def test_weights_are_positive(weights):
    """An ensemble nobody could be drawn from is refused."""
    with pytest.raises(sj.UsageError, match="weights above 0"):
        Ensemble([(ScriptedAgent(["x"]), weight) for weight in weights])
