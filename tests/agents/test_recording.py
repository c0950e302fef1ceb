"""Recordings: a run that was written down comes back the same, without a model."""

import asyncio
import json

import pytest

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.protocol import Reply, Usage, use_meter
from symbiont_jit.agents.recording import Recording
from symbiont_jit.testing import ErrorReply, OverflowReply, ScriptedAgent, Server, TextReply, ToolCalls, tokens
from tests.agents.asking import HELLO, KEY, QUICK, Ledger, add, conversation, run


def outcome(agent, messages):
    """What a run ends in, comparable."""
    try:
        return run(agent, messages)
    except sj.SymbiontError as error:
        return (
            type(error),
            str(error),
            {k: v for k, v in vars(error).items() if k in ("status", "retries", "messages", "usage")},
        )


def test_a_replay_is_the_run_again(tmp_path):
    """Replies with tools, retries and unknown usage, overflows, refusals and turn limits come back the same, in any order."""
    script = {
        "0": [ErrorReply(500), TextReply("zero", usage=tokens(5, 4, 3, 2))],
        "1": [ToolCalls([("add", {"a": 1})]), TextReply("\N{GREEK SMALL LETTER PI}", usage=None)],
        "2": [OverflowReply("vllm")],
        "3": [ErrorReply(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})],
        "4": [ToolCalls([("add", {"a": 1})]), ToolCalls([("add", {"a": 1})])],
    }

    def reply(body):
        return script[body["messages"][0]["content"]].pop(0)

    recording, told = Recording(tmp_path / "run.jsonl"), Ledger()
    conversations = [[{"role": "user", "content": name}] for name in script]
    with Server(reply) as server, use_meter(told):
        agent = recording.record(Agent("model", server.url, KEY, tools=[add], max_turns=2, retries=QUICK))
        before = [outcome(agent, messages) for messages in conversations]
    assert [type(end) for end in before] == [Reply, Reply, tuple, tuple, tuple]
    assert KEY not in recording.path.read_text()

    again = Ledger()
    replay = Recording(recording.path).replay()
    with use_meter(again):
        after = [outcome(replay, messages) for messages in conversations]
    assert after == before
    assert again.events == told.events
    replay = Recording(recording.path).replay()
    assert [outcome(replay, messages) for messages in reversed(conversations)] == before[::-1]


def test_equal_conversations_are_replayed_in_the_order_in_which_they_were_asked(tmp_path):
    """Which lane was answered first does not change what each lane gets."""
    waits = iter([0.1, 0.05, 0.0])

    async def agent(messages):
        wait = next(waits)
        await asyncio.sleep(wait)
        return f"after {wait}"

    async def lanes(agent):
        return [reply.text for reply in await asyncio.gather(*(agent(HELLO) for _ in range(3)))]

    recording = Recording(tmp_path / "run.jsonl")
    before = asyncio.run(lanes(recording.record(agent)))
    assert before == ["after 0.1", "after 0.05", "after 0.0"]
    assert asyncio.run(lanes(recording.replay())) == before


def test_a_conversation_that_is_not_recorded(tmp_path):
    """The file is named; one that was asked too often is told apart."""
    recording = Recording(tmp_path / "run.jsonl")
    run(recording.record(ScriptedAgent(["x"])))
    replay = recording.replay()
    with pytest.raises(sj.AgentError, match=r"run\.jsonl has no run with this conversation"):
        run(replay, conversation(1))
    assert run(replay).text == "x"
    with pytest.raises(sj.AgentError, match=r"run\.jsonl has this conversation 1 times, and it is asked once more"):
        run(replay)
    with pytest.raises(sj.AgentError, match=r"no recording at .*none\.jsonl"):
        Recording(tmp_path / "none.jsonl").replay()


def test_a_budget_stops_a_replay_where_it_stopped_the_run(tmp_path):
    """A run that was stopped between two requests is stopped there again."""
    recording = Recording(tmp_path / "run.jsonl")
    with Server([ToolCalls([("add", {"a": 1})]), "never"]) as server:
        agent = recording.record(Agent("model", server.url, tools=[add]))
        with use_meter(Ledger(limit=1)), pytest.raises(sj.EvolveError, match="used up"):
            run(agent)
    ledger = Ledger(limit=1)
    with use_meter(ledger), pytest.raises(sj.EvolveError, match="used up"):
        run(recording.replay())
    assert ledger.events == ["before", (Usage(10, 0, 5, 0), "model")]
    with pytest.raises(sj.AgentError, match="stopped by its budget"):
        run(recording.replay())


def test_a_recording_is_continued_even_after_a_crash(tmp_path):
    """A line that was half written is cut off, and what follows is whole."""
    path = tmp_path / "run.jsonl"
    run(Recording(path).record(ScriptedAgent(["first"])))
    with path.open("a") as file:
        file.write('{"format": 1, "ind')
    assert run(Recording(path).replay()).text == "first"
    run(Recording(path).record(ScriptedAgent(["second"])))
    replay = Recording(path).replay()
    assert [run(replay).text for _ in range(2)] == ["first", "second"]
    assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == [0, 1]


def test_a_file_that_is_no_recording(tmp_path):
    """The line that cannot be read is named."""
    path = tmp_path / "run.jsonl"
    path.write_text('{"format": 7}\n')
    with pytest.raises(sj.AgentError, match=r"run\.jsonl, line 1, is no run of format 1"):
        Recording(path).replay()
