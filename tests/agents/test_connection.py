"""Connections: timeouts, servers that are none, one client for each event loop."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from symbiont_jit.agents import failures
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.protocol import RequestFailed
from symbiont_jit.testing import ErrorReply, MalformedReply, Server, SlowReply, TextReply
from tests.agents.asking import HELLO, KEY, QUICK, ask, fail, run


def test_a_slow_body_is_a_timeout():
    """The limit is for the whole request: pieces that keep coming do not stretch it."""
    sent = threading.Event()

    class Endless(SlowReply):
        def send(self, exchange):
            super().send(exchange)
            sent.set()

    script = iter([Endless("late", seconds=60.0, pieces=1200), "here"])
    with Server(lambda body: next(script)) as server:
        reply = run(Agent("model", server.url, retries=QUICK, timeout=0.3))
        assert not sent.is_set()
    assert reply.text == "here"
    assert [retry.reason for retry in reply.retries] == ["timeout"]


def test_a_slow_body_in_time_is_an_answer():
    """A body may come in pieces."""
    assert ask([SlowReply("in time", seconds=0.2)], timeout=5.0)[0].text == "in time"


def test_a_timeout_names_its_setting():
    """What took too long can be given more time."""
    error, _ = fail([TextReply("late", delay=5.0)], timeout=0.1, retries=0)
    assert "no whole answer within 0.1 seconds" in str(error)
    assert "Agent(timeout=...)" in str(error)


def test_no_server_at_all():
    """A server that is not there is a connection error that names the setting, after one more try."""
    with Server([]) as server:
        url = server.url
    with pytest.raises(RequestFailed, match=r"no answer: connection after 2 requests.*OPENAI_BASE_URL"):
        run(Agent("model", url, retries=QUICK))


def test_a_server_that_speaks_no_tls():
    """The certificates of an https URL are checked by the client's own transport, and what it says is an AgentError."""
    with Server(["never"]) as server, pytest.raises(RequestFailed, match=r"no answer: tls \(.*SSL_CERT_FILE") as caught:
        run(Agent("model", server.url.replace("http:", "https:"), KEY, retries=5))
    assert caught.value.__context__ is None
    assert server.requests == []


def test_a_server_that_was_there_before_is_waited_for():
    """One that has answered may be starting again, so it is tried as often as the policy says."""
    with Server([TextReply("x")]) as server:
        agent = Agent("model", server.url, retries=QUICK)
        run(agent)
    with pytest.raises(RequestFailed, match="connection after 4 requests"):
        run(agent)


def test_an_answer_that_takes_too_long_is_asked_for_once_more():
    """Each of them may be paid for."""
    error, requests = fail([TextReply("late", delay=5.0)] * 4, timeout=0.1)
    assert "timeout after 2 requests" in str(error)
    assert len(requests) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    """Neither the key nor the prompt goes to another server, and the error says which one it would be."""
    with Server(["never"]) as other:
        moved = MovedReply(status, f"{other.url}/chat/completions?key={KEY}")
        error, _ = fail([moved], api_key=KEY)
    assert other.requests == []
    assert f"it redirects to {other.url}/chat/completions" in str(error)
    assert KEY not in str(error)
    assert "was not followed" in str(error)


class MovedReply:
    """An answer that points somewhere else."""

    def __init__(self, status, location):
        self.status, self.location = status, location

    def send(self, exchange):
        """Send it."""
        exchange.answer(self.status, b"", {"location": self.location})


def test_a_reply_of_a_web_site_is_no_answer():
    """A page in place of JSON is shown, shortly, with the likeliest reason."""
    error, _ = fail([MalformedReply("<!doctype html>" + "x" * 5000)], retries=0)
    assert "not JSON: <!doctype html>" in str(error)
    assert "/v1" in str(error)
    assert len(str(error)) < failures.LONGEST_QUOTE + 300


def test_loops_in_several_threads():
    """Threads with loops of their own may share an agent."""
    with Server(lambda body: TextReply("x", delay=0.05)) as server, ThreadPoolExecutor(8) as threads:
        agent = Agent("model", server.url)
        assert {reply.text for reply in threads.map(lambda _: run(agent), range(16))} == {"x"}
        assert agent._connection._clients == {}


@pytest.mark.slow
def test_many_at_once():
    """64 requests are all at the server before the first of them is answered."""
    here = threading.Barrier(64)

    def script(body):
        here.wait(timeout=30)
        return TextReply(body["messages"][0]["content"])

    with Server(script) as server:
        agent = Agent("model", server.url)

        async def all_of_them():
            return await asyncio.gather(*(agent([{"role": "user", "content": str(i)}]) for i in range(64)))

        replies = asyncio.run(all_of_them())
    assert [reply.text for reply in replies] == [str(i) for i in range(64)]


@pytest.mark.slow
def test_one_loop_after_another():
    """An agent outlives event loops, and leaves no connection open: warnings are errors here."""
    with Server(["1", ErrorReply(500), "2", "3"]) as server:
        agent = Agent("model", server.url, retries=QUICK)
        assert [run(agent).text for _ in range(3)] == ["1", "2", "3"]
        assert agent._connection._clients == {}
    gc.collect()


def test_one_client_for_a_loop():
    """Requests of one loop share their connections until the loop ends or the agent is closed."""
    with Server(lambda body: "x") as server:
        agent = Agent("model", server.url)

        async def twice():
            await agent(HELLO)
            (first,) = agent._connection._clients.values()
            await agent(HELLO)
            assert list(agent._connection._clients.values()) == [first]
            await agent.close()
            assert agent._connection._clients == {}
            return await agent(HELLO)

        assert asyncio.run(twice()).text == "x"
