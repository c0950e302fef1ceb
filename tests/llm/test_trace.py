"""Traces: all that happened in a lane, and no key."""

import json
import os
import pickle
import traceback

import pytest

import symbiont_jit as sj
from symbiont_jit import EvolveError, Reply, Trace, Usage, UsageError
from symbiont_jit.llm.prompts import write_correction
from symbiont_jit.llm.rejections import Rejection
from symbiont_jit.testing import ErrorReply, ScriptedAgent, Server, TextReply
from tests.llm.answers import GOOD, UNTYPED, product

# -- traces -----------------------------------------------------------------------------------------------------------


def test_a_trace_has_everything_and_survives_json(kernel):
    """Prompt, reply, tokens, times and decisions of each attempt, and back from its text."""
    replies = [Reply(UNTYPED, usage=Usage(10, 2, 5, 1), model="m"), Reply(GOOD, usage=Usage(20, 4, 6, 2), model="m")]
    trace = kernel.evolve(ScriptedAgent(replies), "Multiply.").trace
    first, second = trace.attempts
    assert (first.reply, first.usage, first.model) == (UNTYPED, Usage(10, 2, 5, 1), "m")
    assert (first.decision, second.decision) == ("correct", "accept")
    assert second.prompt == write_correction(Rejection("compile", first.diagnostics))
    assert {"waiting", "model", "read", "parse", "validate", "clang", "load"} <= second.stages.keys()
    assert 0 < second.own_seconds <= second.seconds
    assert trace.usage == Usage(30, 6, 11, 3)
    assert [m["role"] for m in trace.messages] == ["user", "assistant", "user", "assistant"]
    assert Trace.from_json(trace.to_json()) == trace
    rows = [json.loads(line) for line in trace.to_jsonl().splitlines()]
    assert [row["type"] for row in rows] == ["lane", "attempt", "attempt"]
    assert "attempt 1: compile -> correct" in str(trace)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"attempts": 3}'])
def test_what_is_no_trace_is_refused(text):
    """A damaged file is told apart from a trace."""
    with pytest.raises(UsageError, match="not a trace"):
        Trace.from_json(text)


# -- secrets ----------------------------------------------------------------------------------------------------------

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"


def environment(kernel):
    """A metric that tells what its process was started with, as a number that only the key gives."""
    with open("/proc/self/environ", "rb") as file:
        started = file.read()
    return float(KEY.encode() in started or KEY in repr(dict(os.environ)))


@pytest.mark.slow
def test_the_key_is_nowhere_but_in_the_request(monkeypatch, caplog, tmp_path):
    """A whole run with a key: the server gets it; trace, recording, logs, errors, prints and workers do not have it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level("DEBUG")

    f = product()
    path = tmp_path / "run.jsonl"
    refusal = ErrorReply(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
    with Server([TextReply(UNTYPED), TextReply(f"Your key is {KEY}.\n{GOOD}"), refusal]) as server:
        agent = sj.Agent("m", base_url=server.url)
        result = f.evolve(sj.Recording(path).record(agent), "Multiply.")
        with pytest.raises(EvolveError) as error:
            f.evolve(agent, "Again.")
        assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in server.requests)
    with sj.Evolution(f, metric=environment) as search:
        evaluation = search.evaluate("double f(double x, int64_t n) { return x; }")
    assert evaluation.score == 0.0
    texts = [result.trace.to_json(), str(result.trace), str(result), repr(result), repr(agent), path.read_text()]
    texts += [str(error.value), repr(error.value), error.value.trace.to_json(), caplog.text]
    texts += ["".join(traceback.format_exception(error.value)), repr(pickle.dumps(agent)), repr(pickle.dumps(f))]
    assert [text for text in texts if KEY in text or KEY[8:] in text] == []
