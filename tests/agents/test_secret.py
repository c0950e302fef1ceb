"""Secrets: a key is in the request and nowhere else."""

import copy
import json
import logging
import pickle
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.recording import Recording
from symbiont_jit.agents.secret import Secret, redact_pieces
from symbiont_jit.testing import DroppedConnection, ErrorReply, MalformedReply, Server, ToolCalls
from tests.agents.asking import KEY, add, ask, fail, leak, run


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_text_keeps_a_piece_of_the_key(data):
    """Whatever of the key a text repeats, and wherever, no eight characters of it stay."""
    cut = st.tuples(st.integers(0, len(KEY)), st.integers(0, len(KEY))).map(lambda ends: KEY[min(ends) : max(ends)])
    text = "".join(data.draw(st.lists(cut | st.text(max_size=4), max_size=6)))
    shown = redact_pieces(text, [Secret(KEY)])
    assert not any(KEY[i : i + 8] in shown for i in range(len(KEY) - 7))


def test_an_agent_does_not_show_its_key():
    """Neither repr nor str nor pickle nor the attributes have the key or a secret header."""
    agent = Agent("model", f"http://127.0.0.1:9/v1?key={KEY}", KEY, headers={"X-Api-Key": KEY[::-1], "X-Title": "t"})
    assert repr(agent) == "Agent('model', base_url='http://127.0.0.1:9/v1', provider='other')"
    shown = [str(agent), repr(vars(agent)), repr(vars(agent._connection)["_headers"]), repr(agent._connection.secrets)]
    plain = pickle.dumps(Agent("model", "http://127.0.0.1:9/v1", KEY, headers={"X-Api-Key": KEY[::-1]}))
    for text in [*shown, plain.decode("latin-1")]:
        assert KEY not in text
        assert KEY[::-1] not in text


def test_a_pickled_agent_asks_for_its_key_again(monkeypatch):
    """What comes out of a pickle reads the environment, and says so where nothing is there; a copy is whole."""
    with Server(lambda body: "x") as server:
        agent = Agent("model", server.url, KEY)
        there = pickle.loads(pickle.dumps(agent))
        with pytest.raises(sj.AgentError, match=r"never pickled.*OPENAI_API_KEY"):
            run(there)
        monkeypatch.setenv("OPENAI_API_KEY", "another key")
        run(there)
        run(copy.deepcopy(agent))
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer another key", f"Bearer {KEY}"]


ECHOES = {
    "whole": KEY,
    "masked": f"{KEY[:10]}**********{KEY[-4:]}",
    "dotted": f"{KEY[:9]}...{KEY[-4:]}",
    "end": f"gsk_\N{HORIZONTAL ELLIPSIS}{KEY[-4:]}",
    "in part": f"key={KEY[:20]}",
    "its end": f"...{KEY[-12:]}",
    "in a header": json.dumps({"Authorization": f"Bearer {KEY}"}),
}


@pytest.mark.parametrize(("echo", "status"), [*((echo, 401) for echo in ECHOES), ("whole", 400), ("whole", 500)])
def test_errors_do_not_repeat_the_key(echo, status):
    """However a server repeats the key, no part of it is in the exception or in anything the exception holds."""
    error, _ = fail(
        [ErrorReply(status, {"error": {"message": f"Incorrect API key provided: {ECHOES[echo]}. Bye."}})] * 4,
        api_key=KEY,
    )
    text = "".join(traceback.format_exception(error)) + repr(error) + pickle.dumps(error).decode("latin-1")
    assert not any(KEY[i : i + 8] in text for i in range(len(KEY) - 7))
    assert KEY[-4:] not in str(error)
    assert "[key]" in str(error)
    assert "Bye." in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "item",
    [ErrorReply(502, f"<p>{KEY}</p>"), MalformedReply(f"<p>{KEY}</p>"), DroppedConnection()],
    ids=["502", "200", "dropped"],
)
def test_errors_of_all_kinds_do_not_repeat_the_key(item):
    """Pages and broken connections are redacted too."""
    error, _ = fail([item] * 4, api_key=KEY)
    assert KEY not in str(error) + repr(vars(error))
    assert error.__context__ is None


def test_logs_do_not_show_the_key(caplog):
    """With every logger at its most talkative, no record has the key."""
    with caplog.at_level(logging.DEBUG):
        ask(
            [ErrorReply(500), ToolCalls([("add", {"a": 1})]), "x"], api_key=KEY, tools=[add], headers={"X-Api-Key": KEY}
        )
        fail([ErrorReply(401, {"error": {"message": KEY}})], api_key=KEY)
    assert caplog.records, "the client logs at this level"
    assert not any(record.name.startswith("symbiont_jit") for record in caplog.records)
    for record in caplog.records:
        assert KEY not in record.getMessage() + repr(record.args)


def test_replies_do_not_repeat_the_key(tmp_path):
    """A server or a tool that says the key does not get it into a reply, nor into a recording."""
    recording = Recording(tmp_path / "run.jsonl")
    with Server([ToolCalls([("leak", {})]), f"your key is {KEY}"]) as server:
        reply = run(recording.record(Agent("model", server.url, KEY, tools=[leak])))
    assert reply.text == "your key is [key]"
    assert KEY not in repr(reply) + recording.path.read_text()
