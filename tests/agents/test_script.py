"""Agents whose replies are a script."""

import pytest

import symbiont_jit as sj
from symbiont_jit.agents.protocol import Reply, Usage, use_meter
from symbiont_jit.testing import ScriptedAgent
from tests.agents.asking import HELLO, Ledger, run


def test_a_script():
    """Texts, replies, functions and exceptions come in their order; then there is none left."""

    async def later(messages):
        return f"{len(messages)} messages"

    agent = sj.testing.ScriptedAgent(
        ["a", Reply("b"), lambda messages: messages[-1]["content"], later, ValueError("no")]
    )
    assert [run(agent).text for _ in range(4)] == ["a", "b", "hello", "1 messages"]
    with pytest.raises(ValueError, match="no"):
        run(agent)
    with pytest.raises(sj.AgentError, match="the script has no reply left after 5"):
        run(agent)
    assert agent.calls == [HELLO] * 6


def test_a_script_that_loops():
    """A looping script begins again, and counts on the meter as a server would."""
    ledger = Ledger(limit=3)
    agent = ScriptedAgent([Reply("a", usage=Usage(1, 0, 2, 0)), "b"], loop=True)
    with use_meter(ledger):
        assert [run(agent).text for _ in range(3)] == ["a", "b", "a"]
        with pytest.raises(sj.EvolveError):
            run(agent)
    assert len(agent.calls) == 3
    assert ledger.events[:4] == ["before", (Usage(1, 0, 2, 0), "scripted"), "before", (None, "scripted")]
