"""The scripted server, as a client of no particular kind sees it."""

import http.client
import threading
import urllib.error

import pytest

from symbiont_jit.testing import DroppedConnection, ErrorReply, Server, SlowReply, TextReply, ToolCalls, tokens
from tests.concurrency import await_true
from tests.testing.posting import post

HELLO = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}


def text_of(answer):
    return answer["choices"][0]["message"]["content"]


def test_replies_come_in_their_order_and_then_no_more():
    """Each request gets the next item of the script; one too many is told so by an error that is not tried again."""
    with Server(["one", TextReply("two"), ErrorReply(503, {"error": {"message": "busy"}})]) as server:
        answers = [post(server.url, HELLO) for _ in range(4)]
    assert [status for status, _ in answers] == [200, 200, 503, 400]
    assert [text_of(answer) for _, answer in answers[:2]] == ["one", "two"]
    assert answers[3][1]["error"]["message"] == "the script has no reply left after 3"


def test_a_script_may_begin_again():
    """With `loop=True` the first item follows the last."""
    with Server(["one", "two"], loop=True) as server:
        assert [text_of(post(server.url, HELLO)[1]) for _ in range(3)] == ["one", "two", "one"]


def test_requests_are_kept_as_they_came():
    """Path, headers and JSON of each request are there afterwards, and a function of the JSON can give the reply."""
    with Server(lambda body: body["messages"][0]["content"].upper()) as server:
        assert text_of(post(server.url, HELLO)[1]) == "HELLO"
    (request,) = server.requests
    assert (request.path, request.headers["x-mine"], request.body) == ("/v1/chat/completions", "yes", HELLO)


def test_calls_of_tools_and_tokens_are_in_the_protocols_form():
    """Arguments are JSON in a text, each call has a name of its own, and the tokens are those of the item."""
    calls = ToolCalls([("add", {"a": 1}), ("add", {"a": 2})])
    with Server([calls, TextReply("x", usage=tokens(5, 3, cached=2))]) as server:
        (_, first), (_, second) = post(server.url, HELLO), post(server.url, HELLO)
    made = first["choices"][0]["message"]["tool_calls"]
    assert [call["function"] for call in made] == [
        {"name": "add", "arguments": '{"a": 1}'},
        {"name": "add", "arguments": '{"a": 2}'},
    ]
    assert len({call["id"] for call in made}) == 2
    assert second["usage"] == tokens(5, 3, cached=2)


@pytest.mark.parametrize("in_body", [False, True])
def test_a_connection_is_dropped(in_body):
    """The client sees the end of the connection, before an answer or in the middle of one."""
    with (
        Server([DroppedConnection(in_body)]) as server,
        pytest.raises((http.client.HTTPException, urllib.error.URLError, ConnectionError)),
    ):
        post(server.url, HELLO)


def test_closing_waits_for_no_slow_reply():
    """Whoever waits for an answer of ten minutes is left alone as soon as the server is closed."""
    ends = []

    def wait():
        try:
            ends.append(post(server.url, HELLO))
        except (http.client.HTTPException, urllib.error.URLError, ConnectionError) as error:
            ends.append(error)

    thread = threading.Thread(target=wait)
    with Server([SlowReply("never", 600.0)]) as server:
        thread.start()
        assert await_true(lambda: server.requests)
    thread.join(20.0)
    assert len(ends) == 1
