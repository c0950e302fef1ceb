"""What a server turns out to demand is learnt from its refusal, and met from then on."""

import pytest

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.demands import Demands
from symbiont_jit.agents.failures import RequestFailure
from symbiont_jit.testing import Server, TextReply, ToolCalls
from tests.agents.asking import HELLO, QUICK, STREAM, add, refuse, run

KIMI = "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"


def test_reasoning_goes_back_where_a_server_wants_it():
    """The refused request is sent again with it, once; later ones have it at once."""
    call = ToolCalls([("add", {"a": 1})], reasoning="I add.")
    with Server([call, refuse(KIMI), TextReply("three"), call, TextReply("again")]) as server:
        agent = Agent("kimi-k2", server.url, tools=[add], retries=QUICK)
        reply = run(agent)
        assert (reply.text, reply.requests, [r.reason for r in reply.retries]) == ("three", 3, [KIMI])
        assert run(agent).requests == 2
    sent = [
        [m.get("reasoning_content") for m in r.body["messages"] if m["role"] == "assistant"] for r in server.requests
    ]
    assert sent == [[], [None], ["I add."], [], ["I add."]]


def test_a_refusal_that_stays_is_final():
    """What was learnt once is not learnt again, so a server that wants more than that is told of."""
    call = ToolCalls([("add", {"a": 1})], reasoning="I add.")
    with (
        Server([call, refuse(KIMI), refuse(KIMI), "never"]) as server,
        pytest.raises(sj.AgentError, match="is missing"),
    ):
        run(Agent("kimi-k2", server.url, tools=[add], retries=QUICK))
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "text"),
    [(500, KIMI), (400, "streams are slow today"), (400, "reasoning_content was read"), (401, STREAM[0])],
)
def test_other_refusals_teach_nothing(status, text):
    """Only a refusal of the request's form does, in words that say what is wanted."""
    assert Demands().learn(RequestFailure(str(status), text, status)) is None


def test_hello_is_not_changed():
    """The caller's messages stay as they are."""
    before = [dict(m) for m in HELLO]
    with Server(["x"]) as server:
        run(Agent("m", server.url, retries=QUICK))
    assert before == HELLO
