"""What an agent is, and the meter that is told of every request."""

import pytest

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.protocol import Usage, as_agent, use_meter
from symbiont_jit.testing import ErrorReply, Server, TextReply, ToolCalls
from tests.agents.asking import QUICK, Ledger, add, run


def test_every_request_is_metered():
    """Failed requests and turns with tools are counted, each before and after."""
    ledger = Ledger()
    script = [ErrorReply(500), ToolCalls([("add", {"a": 1, "b": 2})]), TextReply("3", usage=None)]
    with Server(script) as server, use_meter(ledger):
        run(Agent("model", server.url, tools=[add], retries=QUICK))
    answered = (Usage(10, 0, 5, 0), "model")
    assert ledger.events == ["before", (None, "model"), "before", answered, "before", (None, "model")]


def test_the_meter_can_stop_a_run():
    """What the meter raises ends the run before a request is sent."""
    with Server([ToolCalls([("add", {"a": 1})]), "never"]) as server:
        agent = Agent("model", server.url, tools=[add])
        with use_meter(Ledger(limit=1)), pytest.raises(sj.EvolveError, match="used up"):
            run(agent)
    assert len(server.requests) == 1


def test_any_function_is_an_agent():
    """Async functions and plain ones that give a text are agents; what cannot be called is not."""
    assert run(lambda messages: "plain").text == "plain"
    with pytest.raises(sj.UsageError, match="an agent is"):
        as_agent("gpt-5")
    with pytest.raises(sj.AgentError, match="gave int"):
        run(lambda messages: 3)
