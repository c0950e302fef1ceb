"""What every agent does, whoever wrote it: a client of a server, a script, an ensemble, a recording, a plain function."""

import asyncio
import copy
import re

import pytest

from symbiont_jit import Agent, AgentError, Ensemble, Recording
from symbiont_jit.agents.protocol import Reply, as_agent
from symbiont_jit.errors import UsageError
from symbiont_jit.testing import ScriptedAgent, Server

TEXT = "double half(double x) { return x / 2; }"
ASKED = [{"role": "system", "content": "Write C."}, {"role": "user", "content": "Halve it."}]
#: How often each test may ask.
TIMES = 3


def write_script():
    return ScriptedAgent([TEXT] * TIMES)


def answer(messages):
    """A plain function is an agent too."""
    return TEXT


async def answer_later(messages):
    """An async function is the usual one."""
    await asyncio.sleep(0)
    return Reply(TEXT, ({"role": "assistant", "content": TEXT},))


def replay(recording):
    recorder = recording.record(write_script())
    for _ in range(TIMES):
        asyncio.run(recorder(ASKED))
    return recording.replay()


#: One agent of each kind; `url` is that of a server, and `recording` is empty.
KINDS = {
    "client": lambda url, recording: Agent("any", url),
    "script": lambda url, recording: write_script(),
    "ensemble": lambda url, recording: Ensemble([(write_script(), 1), (answer, 1)]),
    "recorder": lambda url, recording: recording.record(write_script()),
    "replay": lambda url, recording: replay(recording),
    "function": lambda url, recording: answer,
    "coroutine": lambda url, recording: answer_later,
}


@pytest.fixture(params=KINDS)
def agent(request, tmp_path):
    """An agent that answers with the text."""
    with Server([TEXT], loop=True) as server:
        yield KINDS[request.param](server.url, Recording(tmp_path / "runs.jsonl"))


def test_a_run_ends_with_a_reply(agent):
    """Its text is the answer, and the last new message is the assistant's with that text."""
    reply = asyncio.run(as_agent(agent)(ASKED))
    assert isinstance(reply, Reply)
    assert reply.text == TEXT
    assert (reply.messages[-1]["role"], reply.messages[-1]["content"]) == ("assistant", TEXT)
    assert reply.requests >= 1


def test_a_conversation_stays_the_callers(agent):
    """An agent changes none of the messages that it is given."""
    messages = copy.deepcopy(ASKED)
    asyncio.run(as_agent(agent)(messages))
    assert messages == ASKED


def test_runs_may_overlap(agent):
    """Lanes share an agent: each of several runs at a time gets its own reply."""

    async def ask_all():
        return await asyncio.gather(*(as_agent(agent)(ASKED) for _ in range(TIMES)))

    assert [reply.text for reply in asyncio.run(ask_all())] == [TEXT] * TIMES


def test_each_run_may_have_an_event_loop_of_its_own(agent):
    """Whoever evolves twice runs two event loops, one after the other."""
    assert [asyncio.run(as_agent(agent)(ASKED)).text for _ in range(TIMES)] == [TEXT] * TIMES


@pytest.mark.parametrize("given", [None, "gpt", 3, ScriptedAgent], ids=repr)
def test_what_is_no_agent(given):
    """Its value is named, before anything is asked."""
    with pytest.raises(UsageError, match=f"an agent is .*, not {re.escape(repr(given))}"):
        as_agent(given)


@pytest.mark.parametrize("given", [lambda messages: None, lambda messages: b"text"], ids=["None", "bytes"])
def test_an_answer_of_another_type(given):
    """It is the agent's fault, and the type is named."""
    with pytest.raises(AgentError, match=r"the agent gave (NoneType|bytes)"):
        asyncio.run(as_agent(given)(ASKED))
