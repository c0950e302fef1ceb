"""What a server turns out to demand is learnt from its refusal, and met from then on."""

import pytest

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.demands import Demands
from symbiont_jit.agents.failures import RequestFailure
from symbiont_jit.agents.streaming import StreamedCompletion
from symbiont_jit.testing import ErrorReply, Server, TextReply, ToolCalls, tokens
from tests.agents.asking import HELLO, QUICK, add, run

KIMI = "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"
STREAM = [
    "parameter.enable_thinking must be set to false for non-streaming calls",
    "This model only support stream mode, please enable the stream parameter to access the model.",
    "stream must be set to true for this model",
]


def refuse(text):
    return ErrorReply(400, {"error": {"message": text}})


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


PIECES = """data: {"model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "I "}}]}

data: {"choices": [{"index": 0, "delta": {"content": "thr", "reasoning_content": "add."}}]}

data: {"choices": [{"index": 0, "delta": {"content": "ee"}, "finish_reason": "stop"}]}

data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 8}}

data: [DONE]

"""


class StreamedReply:
    """An answer in pieces."""

    def send(self, exchange):
        """Send them."""
        exchange.answer(200, PIECES.encode(), {"content-type": "text/event-stream"})


@pytest.mark.parametrize("wording", STREAM)
def test_a_model_that_only_streams_is_streamed(wording):
    """The pieces are one answer with its tokens, and the next request asks for pieces at once."""
    with Server([refuse(wording), StreamedReply(), StreamedReply()]) as server:
        agent = Agent("qwq", server.url, retries=QUICK)
        reply = run(agent)
        assert (reply.text, reply.usage, reply.requests) == ("three", sj.Usage(9, 0, 8, 0), 2)
        assert reply.messages == ({"role": "assistant", "content": "three", "reasoning_content": "I add."},)
        assert run(agent).text == "three"
    assert [bool(r.body.get("stream")) for r in server.requests] == [False, True, True]


def test_a_server_may_answer_at_once_all_the_same():
    """Some take no notice of the wish for pieces."""
    with Server([refuse(STREAM[0]), TextReply("three", usage=tokens(1, 2))]) as server:
        assert run(Agent("qwen", server.url, retries=QUICK)).text == "three"


def test_calls_in_pieces():
    """The name of a call comes once, and its arguments bit by bit."""
    found = StreamedCompletion()
    for function in ({"name": "add", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ": 1}"}):
        call = {"index": 0, "id": "c1" if "name" in function else None, "function": function}
        found.add({"choices": [{"delta": {"tool_calls": [call]}}]})
    found.add({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    (choice,) = found.finish()["choices"]
    assert choice["message"]["tool_calls"] == [{"function": {"name": "add", "arguments": '{"a": 1}'}, "id": "c1"}]
    assert choice["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    "piece",
    [
        {},
        {"choices": None},
        {"choices": [3]},
        {"choices": [{"delta": 3}]},
        {"choices": [{"delta": {"tool_calls": [1]}}]},
    ],
)
def test_pieces_that_are_none(piece):
    """A server may send anything; nothing comes of it, and a stream without an answer is none."""
    found = StreamedCompletion()
    found.add(piece)
    assert found.finish()["choices"] == []


def test_a_stream_without_an_end_is_left():
    """What has come by then is an answer that was cut off."""
    found = StreamedCompletion()
    while not found.is_too_long:
        found.add({"choices": [{"delta": {"content": "x" * 1_000_000}}]})
    assert found.finish()["choices"][0]["finish_reason"] == "length"


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
