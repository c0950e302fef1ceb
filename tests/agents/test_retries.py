"""Retries: what is tried again, how often, and when."""

import asyncio
import datetime
import email.utils
import threading

import pytest

from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.protocol import RequestFailed
from symbiont_jit.agents.retries import RetryPolicy, read_retry_after
from symbiont_jit.testing import DroppedConnection, ErrorReply, MalformedReply, Server
from tests.agents.asking import HELLO, QUICK, ask, fail, run

PASSING = {
    **{str(status): ErrorReply(status) for status in (408, 409, 425, 429, 500, 502, 503, 504, 529)},
    "connection": DroppedConnection(),
    "connection, in the body": DroppedConnection(in_body=True),
    "malformed": MalformedReply(),
    "malformed, html": MalformedReply("<!doctype html><p>hello", content_type="text/html"),
    "malformed, empty": MalformedReply(""),
    "malformed, a list": MalformedReply("[]"),
    "malformed, no choices": MalformedReply('{"choices": []}'),
    "malformed, no message": MalformedReply('{"choices": [{}]}'),
    "429, under 200": ErrorReply(200, {"error": {"code": 429, "message": "upstream is busy"}}),
    "502, in a choice": ErrorReply(200, {"choices": [{"error": {"code": 502, "message": "gone"}}]}),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(name):
    """A failure that passes by itself costs a request and no attempt."""
    reply, requests = ask([PASSING[name], "here"])
    assert reply.text == "here"
    assert [retry.reason for retry in reply.retries] == [name.partition(",")[0]]
    assert reply.requests == len(requests) == 2


@pytest.mark.parametrize(
    "item", [ErrorReply(503), DroppedConnection(), MalformedReply()], ids=["503", "dropped", "malformed"]
)
def test_retries_are_bounded(item):
    """After as many retries as the policy has, the last failure is raised."""
    error, requests = fail([item] * 10)
    assert len(requests) == 1 + QUICK.retries
    assert len(error.retries) == QUICK.retries
    assert "after 4 requests" in str(error)


def test_a_number_is_a_policy():
    """`retries=1` is one more request."""
    with Server([ErrorReply(500), ErrorReply(500)]) as server, pytest.raises(RequestFailed):
        run(Agent("model", server.url, retries=RetryPolicy(1, base=0.001)))
    assert len(server.requests) == 2
    assert Agent("model", server.url, retries=1).retries == RetryPolicy(1)


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "0.3"}, {"Retry-After-Ms": "300"}], ids=["seconds", "milliseconds"]
)
def test_retry_after_is_honoured(headers):
    """No request comes before the server wants one: a timer of the same loop that is due sooner has rung by then."""
    rung, heard = threading.Event(), []

    def answer(body):
        heard.append(rung.is_set())
        if len(heard) == 2:
            return "here"
        loop.call_soon_threadsafe(loop.call_later, 0.29, rung.set)
        return ErrorReply(429, headers=headers)

    async def asked():
        nonlocal loop
        loop = asyncio.get_running_loop()
        return await Agent("model", server.url, retries=QUICK)(HELLO)

    loop = None

    with Server(answer) as server:
        reply = asyncio.run(asked())
    assert heard == [False, True]
    assert 0.3 <= reply.retries[0].seconds <= 0.3 + QUICK.base


def test_retry_after_may_be_a_date():
    """A date is as many seconds as are left until then; the past is now."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=30)
    assert 28 <= read_retry_after({"retry-after": email.utils.format_datetime(soon, usegmt=True)}) <= 30
    assert read_retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert [read_retry_after({"retry-after": text}) for text in ("soon", "nan", "inf", "")] == [None] * 4


def test_impatience():
    """A server that wants more time than the policy has is not waited for."""
    error, requests = fail([ErrorReply(429, headers={"Retry-After": "3600"})])
    assert "asks to wait 3600 seconds" in str(error)
    assert len(requests) == 1


def test_waits_grow_within_their_bounds():
    """Wait n is base * 2**n up to the cap, less a part of at most the jitter."""
    policy = RetryPolicy(retries=2000, base=1.0, cap=8.0, jitter=0.25)
    for taken in (0, 1, 2, 3, 4, 1999):
        whole = min(8.0, 2.0 ** min(taken, 10))
        waits = [policy.seconds(taken, None, chance / 10) for chance in range(11)]
        assert waits == sorted(waits, reverse=True)
        assert (waits[0], waits[-1]) == (whole, 0.75 * whole)
    assert policy.seconds(2000, None, 0.5) is None
