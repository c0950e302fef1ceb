"""A model that answers in pieces only: they are one answer, whatever a server sends between them."""

import pytest

from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.protocol import RequestFailed, Usage
from symbiont_jit.agents.streaming import StreamedCompletion
from symbiont_jit.testing import MalformedReply, Server, TextReply, tokens
from tests.agents.asking import QUICK, STREAM, refuse, run

PIECES = """data: {"model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "I "}}]}

data: {"choices": [{"index": 0, "delta": {"content": "thr", "reasoning_content": "add."}}]}

data: {"choices": [{"index": 0, "delta": {"content": "ee"}, "finish_reason": "stop"}]}

data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 8}}

data: [DONE]

"""


class StreamedReply:
    """An answer in pieces."""

    def __init__(self, text=PIECES):
        self.text = text

    def send(self, exchange):
        """Send them."""
        exchange.answer(200, self.text.encode(), {"content-type": "text/event-stream"})


@pytest.mark.parametrize("wording", STREAM)
def test_a_model_that_only_streams_is_streamed(wording):
    """The pieces are one answer with its tokens, and the next request asks for pieces at once."""
    with Server([refuse(wording), StreamedReply(), StreamedReply()]) as server:
        agent = Agent("qwq", server.url, retries=QUICK)
        reply = run(agent)
        assert (reply.text, reply.usage, reply.requests) == ("three", Usage(9, 0, 8, 0), 2)
        assert reply.messages == ({"role": "assistant", "content": "three", "reasoning_content": "I add."},)
        assert run(agent).text == "three"
    assert [bool(r.body.get("stream")) for r in server.requests] == [False, True, True]


PIECE = '{"choices": [{"index": 0, "delta": {"content": "three"}}]}'
ODD = {
    "a list": "[1]",
    "nothing": "null",
    "a number for choices": '{"choices": [3]}',
    "a number for a delta": '{"choices": [{"index": 0, "delta": 3}]}',
    "a number for tokens": '{"choices": [], "usage": 3}',
    "a number that is none": '{"choices": [], "usage": {"prompt_tokens": NaN}}',
}


def stream(*pieces):
    """Return a server's words for some pieces."""
    return "".join(f"data: {piece}\n\n" for piece in (*pieces, "[DONE]"))


@pytest.mark.parametrize("odd", ODD)
def test_a_piece_that_is_none_costs_no_answer(odd):
    """A server may send anything between the pieces; no warning of the client's types comes of it."""
    with Server([refuse(STREAM[0]), StreamedReply(stream(PIECE, ODD[odd]))]) as server:
        assert run(Agent("qwq", server.url, retries=0)).text == "three"


def test_half_a_character_in_a_piece():
    """It is replaced, as it is in an answer at once, because no request could hold it."""
    piece = PIECE.replace("three", r"a\ud800b")
    with Server([refuse(STREAM[0]), StreamedReply(stream(piece))]) as server:
        assert run(Agent("qwq", server.url, retries=0)).messages[0]["content"] == "a?b"


def test_an_error_among_the_pieces():
    """It is read like one that comes at once, so that a busy server is asked again."""
    busy = '{"error": {"code": 429, "message": "upstream is busy"}}'
    with Server([refuse(STREAM[0]), StreamedReply(stream(PIECE, busy)), StreamedReply()]) as server:
        reply = run(Agent("qwq", server.url, retries=QUICK))
    assert (reply.text, [retry.reason for retry in reply.retries]) == ("three", [STREAM[0], "429"])


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_a_stream_that_breaks_off(kind):
    """A lost connection is one, wherever in an answer it is lost, and the answer is asked for again."""
    with Server([refuse(STREAM[0]), BrokenReply(kind), StreamedReply()]) as server:
        reply = run(Agent("qwq", server.url, retries=QUICK))
    assert (reply.text, [retry.reason for retry in reply.retries]) == ("three", [STREAM[0], "connection"])


class BrokenReply:
    """The beginning of an answer."""

    def __init__(self, kind):
        self.kind = kind

    def send(self, exchange):
        """Send it, and close the connection."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {self.kind}\r\nContent-Length: 5000\r\n\r\n"
        exchange.drop(f"{head}data: {PIECE}\n\n".encode())


DEPTHS = (300, 1500, 5000, 60_000)
DEEP = {
    "of an error": '{"error": %s}',
    "of thoughts": '{"choices": [{"message": {"content": "x", "reasoning_details": %s}}]}',
    "of arguments": '{"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": %s}}]}}]}',
    "of tokens": '{"choices": [{"index": 0, "delta": {"content": "x"}}], "usage": %s}',
    "of a call": '{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": %s}]}}]}',
}


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("where", DEEP)
def test_json_of_many_levels_is_refused(where, depth):
    """What walks through JSON calls itself for each level, and some Pythons read more of them than they walk."""
    text = DEEP[where] % ("[" * depth + '"x"' + "]" * depth)
    for reply in (MalformedReply(text), StreamedReply(stream(text))):
        with Server([refuse(STREAM[0]), reply]) as server, pytest.raises(RequestFailed):
            run(Agent("qwq", server.url, retries=0))


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
