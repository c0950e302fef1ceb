"""The repair loop: what fails goes back to the model, each failure with its own words, within a budget."""

import asyncio
import json
import os
import pickle
import re
import threading
import traceback
from pathlib import Path

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64 as i64

import symbiont_jit as sj
from symbiont_jit import Array, Budget, EvolveError, Price, Reply, Trace, Usage, UsageError, evolvable
from symbiont_jit.agents.protocol import ContextOverflow, TurnLimit
from symbiont_jit.llm.budget import PRICES, PRICES_AS_OF, PRICES_WRITTEN
from symbiont_jit.llm.prompts import (
    CORRECTIONS,
    write_correction,
    write_fresh_start,
    write_system_prompt,
    write_task_prompt,
)
from symbiont_jit.llm.rejections import Rejection
from symbiont_jit.runtime.panics import _MESSAGES, PANICS
from symbiont_jit.testing import ErrorReply, ScriptedAgent, Server, TextReply
from tests.kernels import TOTAL_HEAD, total

GOLDEN = Path(__file__).parent / "golden"


def fenced(code):
    return f"Here it is.\n\n```c\n{code}\n```\n"


GOOD = fenced("double f(double x, int64_t n) { return x * n; }")
BETTER = fenced("double f(double x, int64_t n) { return x * n + 1; }")
UNREADABLE = fenced("double f(double x, int64_t n) { return x * * ; }")
FORBIDDEN = fenced('double f(double x, int64_t n) { system("ls"); return x; }')
OTHER_TYPES = fenced("double f(float x, int64_t n) { return x; }")
UNTYPED = fenced("double f(double x, int64_t n) { return y; }")
CUT_OFF = "```c\ndouble f(double x, int64_t n) {\n  double s = 0;\n  for (int64_t i = 0; i <"


@pytest.fixture
def kernel():
    @evolvable
    def f(x: f64, n: i64) -> f64:
        """A product."""
        return x * n

    return f


def said(agent, call):
    """The last message of a call."""
    return agent.calls[call][-1]["content"]


# -- acceptance -------------------------------------------------------------------------------------------------------


def test_an_accepted_answer_is_active(kernel):
    """The revision that the model wrote is what the kernel calls, and the result says what it took."""
    result = kernel.evolve(ScriptedAgent([GOOD]), "Multiply.")
    assert kernel.active is result.revision
    assert kernel(3.0, 2) == 6.0
    assert (result.attempts, result.trace.outcome, result.trace.revision) == (1, "accepted", 1)
    assert result.revision.profile == "safe"
    assert "return x * n" in result.source


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        ("I would rather talk about it.", "no_code", "no C"),
        (CUT_OFF, "truncated", "breaks off"),
        (UNREADABLE, "parse", "^"),
        (OTHER_TYPES, "signature", "parameter 1 is 'float x'"),
        (FORBIDDEN, "forbidden", "'system' is not a function you may call"),
        (UNTYPED, "compile", "use of undeclared identifier 'y'"),
    ],
)
def test_each_failure_has_its_own_correction(kernel, reply, kind, words):
    """The next message says what is wrong in the candidate's own lines, and the next answer is accepted."""
    agent = ScriptedAgent([reply, GOOD])
    result = kernel.evolve(agent, "Multiply.")
    assert result.attempts == 2
    assert [a.kind for a in result.trace.attempts] == [kind, "accepted"]
    before, after = CORRECTIONS[kind]
    message = said(agent, 1)
    assert message.startswith(before)
    assert message.rstrip().endswith(after)
    assert words in message
    assert agent.calls[1][:2] == agent.calls[0]
    assert agent.calls[1][2] == {"role": "assistant", "content": reply}


def test_every_call_begins_with_a_fresh_conversation(kernel):
    """What was said in one call is not sent in the next; the present code is."""
    agent = ScriptedAgent([UNTYPED, GOOD, BETTER])
    kernel.evolve(agent, "Multiply.")
    kernel.evolve(agent, "Add one.")
    assert [m["role"] for m in agent.calls[2]] == ["system", "user"]
    assert "return x * n" in said(agent, 2)
    assert "Add one." in said(agent, 2)
    assert kernel(3.0, 2) == 7.0


def test_a_verbatim_repeat_begins_anew_without_the_code(kernel):
    """The refused code is not in the conversation any more, and the model is told not to write it again."""
    agent = ScriptedAgent([UNTYPED, UNTYPED, GOOD])
    result = kernel.evolve(agent, "Multiply.")
    assert [a.kind for a in result.trace.attempts] == ["compile", "repeated", "accepted"]
    assert [m["role"] for m in agent.calls[2]] == ["system", "user"]
    assert "return y" not in json.dumps(agent.calls[2])
    assert "Do not repeat it" in said(agent, 2)
    assert "Multiply." in said(agent, 2)


def test_the_attempts_end(kernel):
    """After the last attempt the kernel is as it was, and the error's trace has all of them."""
    agent = ScriptedAgent([UNTYPED, FORBIDDEN, UNREADABLE, GOOD])
    with pytest.raises(
        EvolveError, match=r"no acceptable body for 'f' after 3 attempts: the attempts are used up"
    ) as e:
        kernel.evolve(agent, "Multiply.", attempts=3)
    assert [a.kind for a in e.value.trace.attempts] == ["compile", "forbidden", "parse"]
    assert e.value.trace.outcome == "failed"
    assert (kernel.active.number, len(kernel.revisions)) == (0, 1)


def test_ten_attempts_are_made_by_default(kernel):
    """The default is what the documentation says."""
    agent = ScriptedAgent([fenced(f"double f(double x, int64_t n) {{ return y{i}; }}") for i in range(12)])
    with pytest.raises(EvolveError):
        kernel.evolve(agent, "Multiply.")
    assert len(agent.calls) == 10


# -- checks -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search():
    with sj.Evolution(evolvable(total), metric=sj.Speedup([(np.arange(9.0),)]), deadline=2.0) as evolution:
        yield evolution


def body(text):
    return fenced(f"{TOTAL_HEAD}\n{{\n  double s = 0;\n  {text}\n  return s;\n}}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("for (int64_t i = 0; i <= n; i++) s += x[i];", "panic", "index 9 out of bounds for x with n = 9"),
        ("for (int64_t i = 0; i < n; ) s += x[i];", "panic", "the loop does not end"),
        ("for (int64_t i = 1; i < n; i++) s += x[i]; s += 1;", "wrong", "the result is 37.0, expected 36.0"),
    ],
)
def test_a_check_in_a_worker_steers_too(search, text, kind, words):
    """Panics and wrong answers go back with line and values; the answer after that is accepted."""
    agent = ScriptedAgent([body(text), body("for (int64_t i = 0; i < n; i++) s += x[i];")])
    result = search.kernel.evolve(agent, "Add up.", check=search.evaluate)
    assert [a.kind for a in result.trace.attempts] == [kind, "accepted"]
    assert words in said(agent, 1)
    assert result.trace.attempts[0].stages["check"] > 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("must be odd", "must be odd"),
        (False, "the check said False"),
        (ZeroDivisionError("oh"), "raised ZeroDivisionError: oh"),
    ],
)
def test_a_check_may_be_any_function(kernel, answer, words):
    """A text says what is wrong, None and True accept, what it raises is told."""
    answers = [answer, None]

    def check(source):
        now = answers.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    agent = ScriptedAgent([GOOD, BETTER])
    result = kernel.evolve(agent, "Multiply.", check=check)
    assert result.trace.attempts[0].kind == "wrong"
    assert words in said(agent, 1)


# -- what the model cannot do ------------------------------------------------------------------------------------------


def test_a_conversation_that_is_too_long_begins_anew(kernel):
    """Overflow drops the history; the prompt is the first one again."""
    agent = ScriptedAgent([UNTYPED, ContextOverflow("maximum context length is 4096 tokens"), GOOD])
    result = kernel.evolve(agent, "Multiply.")
    assert [a.kind for a in result.trace.attempts] == ["compile", "context_overflow", "accepted"]
    assert agent.calls[2] == agent.calls[0]


def test_a_prompt_that_is_too_long_is_the_callers(kernel):
    """Nothing can be dropped from a first request."""
    with pytest.raises(EvolveError, match="the prompt alone is too long"):
        kernel.evolve(ScriptedAgent([ContextOverflow("too long"), GOOD]), "Multiply.")


def test_the_conversation_cannot_overflow_for_ever(kernel):
    """After three new beginnings the lane gives up."""
    agent = ScriptedAgent([UNTYPED, ContextOverflow("too long")] * 8)
    codes = iter(range(99))

    async def ask(messages):
        if len(messages) > 2:
            raise ContextOverflow("too long")
        return fenced(f"double f(double x, int64_t n) {{ return y{next(codes)}; }}")

    with pytest.raises(EvolveError, match="too long") as e:
        kernel.evolve(ask, "Multiply.", attempts=30)
    assert [a.kind for a in e.value.trace.attempts].count("context_overflow") == 4
    assert agent.calls == []


def test_used_up_turns_are_told(kernel):
    """A model that only calls tools is asked to answer; what it did is kept."""
    limit = TurnLimit("8 turns", [{"role": "assistant", "content": "calling"}], Usage(10, 0, 5))
    agent = ScriptedAgent([limit, GOOD])
    result = kernel.evolve(agent, "Multiply.")
    assert result.trace.attempts[0].kind == "turn_limit"
    assert "Answer now" in said(agent, 1)
    assert result.usage.input >= 10


@pytest.mark.parametrize("error", [sj.AgentError("no network"), ValueError("broken")])
def test_an_agent_that_fails_ends_the_lane_with_its_trace(kernel, error):
    """What cannot be asked is no attempt of the model's: the error says why, and the trace is there."""
    with pytest.raises(EvolveError, match=str(error)) as e:
        kernel.evolve(ScriptedAgent([UNTYPED, error]), "Multiply.")
    assert [a.kind for a in e.value.trace.attempts] == ["compile", "error"]


@pytest.mark.parametrize("agent", [42, "gpt", None])
def test_what_is_no_agent_is_refused(kernel, agent):
    """The message says what an agent is."""
    with pytest.raises(UsageError, match=r"an agent is sj.Agent"):
        kernel.evolve(agent, "Multiply.")


@pytest.mark.parametrize("prompt", ["", "  ", None, 3])
def test_an_empty_prompt_is_refused(kernel, prompt):
    """A model that is told nothing writes nothing."""
    with pytest.raises(UsageError, match="a prompt is text"):
        kernel.evolve(ScriptedAgent([GOOD]), prompt)


def test_any_async_function_is_an_agent(kernel):
    """It gets the messages and returns a text."""

    async def ask(messages):
        assert [m["role"] for m in messages] == ["system", "user"]
        return GOOD

    assert kernel.evolve(ask, "Multiply.").attempts == 1


# -- budgets ----------------------------------------------------------------------------------------------------------


def spending(tokens, model="gpt-4o-mini"):
    """An agent that never succeeds and says what it used."""
    count = iter(range(1000))

    async def ask(messages):
        text = fenced(f"double f(double x, int64_t n) {{ return y{next(count)}; }}")
        return Reply(text, usage=Usage(tokens, tokens // 2, tokens, tokens // 4), model=model)

    return ask


@pytest.mark.parametrize(
    ("budget", "attempts", "words"),
    [
        (Budget(requests=2), 2, "2 requests is used up"),
        (Budget(tokens=450), 3, "450 tokens"),
        (Budget(input_tokens=150), 2, "150 input tokens"),
        (Budget(cached_tokens=60), 2, "60 cached tokens"),
        (Budget(output_tokens=100), 1, "100 output tokens"),
        (Budget(reasoning_tokens=75), 3, "75 reasoning tokens"),
        (Budget(money=0.0001), 2, "0.0001 money"),
        (Budget(money=1e-9, prices={"gpt-4o-mini": Price(1, 1)}), 1, "1e-09 money"),
        (Budget(attempts=4), 4, "the attempts are used up"),
    ],
)
def test_a_budget_ends_a_lane_before_the_next_request(kernel, budget, attempts, words):
    """Each limit stops the request after the one that reached it, and is named."""
    with pytest.raises(EvolveError, match=words) as e:
        kernel.evolve(spending(100), "Multiply.", budget=budget)
    assert len([a for a in e.value.trace.attempts if a.requests]) == attempts


def test_an_unknown_price_is_said(kernel):
    """Where money is limited and cannot be counted, the lane stops after one request and says what to give."""
    with pytest.raises(EvolveError, match=r"the price of the model 'mystery' is unknown.*prices"):
        kernel.evolve(spending(100, "mystery"), "Multiply.", budget=Budget(money=1.0))
    result = kernel.evolve(ScriptedAgent([Reply(GOOD, usage=Usage(5, 0, 5), model="mystery")]), "Multiply.")
    assert result.spent.unpriced == ("mystery",)


def test_what_is_left_is_in_the_result(kernel):
    """Limits that were given, less what was used."""
    reply = Reply(GOOD, usage=Usage(1000, 200, 500), model="gpt-4o-2024-08-06")
    result = kernel.evolve(ScriptedAgent([reply]), "Multiply.", budget=Budget(tokens=2000, money=1.0, requests=5))
    assert result.left["tokens"] == 500
    assert result.left["requests"] == 4
    assert result.left["attempts"] == 9
    assert result.left["money"] == pytest.approx(1 - (800 * 2.5 + 200 * 1.25 + 500 * 10) / 1e6)


def test_the_seconds_end_a_request_that_is_under_way(kernel):
    """The clock is the only limit that cuts a request off."""

    async def slow(messages):
        await asyncio.sleep(30)

    with pytest.raises(EvolveError, match=r"0.2 seconds is used up"):
        kernel.evolve(slow, "Multiply.", budget=Budget(seconds=0.2))


@pytest.mark.parametrize("limits", [{"attempts": 0}, {"tokens": -1}, {"money": "much"}, {"seconds": True}])
def test_a_budget_that_makes_no_sense_is_refused(limits):
    """The limit is named."""
    with pytest.raises((UsageError, TypeError), match=next(iter(limits)) + "|supported"):
        Budget(**limits)


# -- lanes ------------------------------------------------------------------------------------------------------------


def test_a_batch_registers_all_and_activates_none(kernel):
    """One lane a prompt, in the order of the prompts; equal answers are one revision, compiled once."""
    answers = {"a": GOOD, "b": BETTER, "c": GOOD}

    async def ask(messages):
        await asyncio.sleep(0.01)
        return answers[messages[1]["content"].rstrip()[-1]]

    stream = kernel.evolve_stream(ask, ["a", "b", "c"])
    lanes = sorted(stream, key=lambda lane: lane.index)
    assert stream.compile_count == 2
    assert [lane.index for lane in lanes] == [0, 1, 2]
    assert lanes[0].revision is lanes[2].revision
    assert kernel.active.number == 0
    assert [lane.revision(2.0, 3) for lane in lanes] == [6.0, 7.0, 6.0]


def test_one_lanes_failure_touches_no_other(kernel):
    """A failed lane has its error and its trace; the others have results."""

    async def ask(messages):
        if "bad" in messages[1]["content"]:
            raise RuntimeError("this one")
        return GOOD

    lanes = kernel.evolve_batch(ask, ["good", "bad", "good"])
    assert [lane.error is None for lane in lanes] == [True, False, True]
    assert isinstance(lanes[1].error, EvolveError)
    assert lanes[1].trace.outcome == "failed"
    with pytest.raises(EvolveError, match="this one"):
        lanes[1].unwrap()


@pytest.mark.slow
def test_lanes_come_as_they_finish(kernel):
    """The stream yields the fastest first, for both kinds of loops."""

    async def ask(messages):
        slow = "slow" in messages[1]["content"]
        await asyncio.sleep(0.5 if slow else 0.0)
        return BETTER if slow else GOOD

    assert [lane.index for lane in kernel.evolve_stream(ask, ["slow", "fast"])] == [1, 0]

    async def asynchronous():
        return [lane.index async for lane in kernel.evolve_stream(ask, ["slow", "fast"])]

    assert asyncio.run(asynchronous()) == [1, 0]


def test_the_requests_in_flight_are_bounded_and_the_bound_can_change(kernel):
    """Never more than the limit at a time; raising it while lanes run lets more in."""
    now, peak, limiter = 0, [], sj.RateLimiter(2)

    async def ask(messages):
        nonlocal now
        now += 1
        peak.append(now)
        await asyncio.sleep(0.03)
        if len(peak) == 6:
            limiter.max_in_flight = 5
        now -= 1
        return GOOD

    kernel.evolve_batch(ask, ["x"] * 24, max_in_flight=limiter)
    assert max(peak[:6]) == 2
    assert max(peak) == 5
    assert limiter.in_flight == 0


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "2"])
def test_a_limit_is_a_number_of_requests(limit):
    """What cannot bound the requests in flight is named, when the limiter is made and when it is changed."""
    text = f"max_in_flight, the limit of requests at a time, is a whole number from 1 on, not {limit!r}"
    with pytest.raises(UsageError, match=re.escape(text)):
        sj.RateLimiter(limit)
    limiter = sj.RateLimiter(3)
    with pytest.raises(UsageError, match=re.escape(text)):
        limiter.max_in_flight = limit
    assert limiter.max_in_flight == 3


def test_the_table_of_prices_has_a_date():
    """The documentation says of when the prices are, and no price is below that of the cache."""
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    assert f"listed in {PRICES_AS_OF} (`PRICES_AS_OF`)" in page
    assert f"{PRICES_WRITTEN.isoformat()} (`PRICES_WRITTEN`)" in page
    assert all(0 < price.cached <= price.input <= price.output for price in PRICES.values())


@pytest.mark.slow
def test_who_has_tried_most_goes_first(kernel):
    """A waiting lane with more attempts behind it is admitted before fresh ones."""
    order = []

    async def ask(messages):
        prompt, tries = messages[1]["content"].rstrip()[-1], len(messages)
        order.append((prompt, tries))
        await asyncio.sleep(0.1)
        return UNTYPED if prompt == "a" and tries == 2 else GOOD

    kernel.evolve_batch(ask, list("abcdef"), max_in_flight=1)
    place = order.index(("a", 4))
    assert order[0] == ("a", 2)
    assert place <= 2


def test_leaving_the_stream_cancels_the_rest_and_loses_no_answer(kernel):
    """What had been answered is registered; what was waiting is cancelled, and the traces say so."""

    async def ask(messages):
        await asyncio.sleep(0.0 if "fast" in messages[1]["content"] else 60)
        return GOOD

    stream = kernel.evolve_stream(ask, ["slow", "fast", "slow"])
    for lane in stream:
        assert lane.index == 1
        break
    assert [t.outcome for t in stream.traces] == ["cancelled", "accepted", "cancelled"]
    assert len(kernel.revisions) == 2


def test_a_cancelled_lane_registers_the_answer_it_had(kernel):
    """Cancelling between the answer and its compilation waits for that."""
    answered = threading.Event()

    async def ask(messages):
        answered.set()
        return BETTER

    async def act():
        task = asyncio.create_task(kernel.aevolve(ask, "Multiply."))
        while not answered.is_set():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(act())
    assert len(kernel.revisions) == 2
    assert kernel.active.number == 0


def test_evolve_works_where_an_event_loop_runs(kernel):
    """As in a notebook."""

    async def act():
        return kernel.evolve(ScriptedAgent([GOOD]), "Multiply.")

    assert asyncio.run(act()).attempts == 1


def test_a_group_is_written_as_one():
    """All functions of a group are in one answer, and the prompt has all prototypes."""
    group = sj.Group()

    @group.evolvable
    def half(x: f64) -> f64: ...

    @group.evolvable
    def quarter(x: f64) -> f64: ...

    text = "double half(double x) { return x / 2; }\ndouble quarter(double x) { return half(half(x)); }"
    agent = ScriptedAgent([fenced("double half(double x) { return x / 2; }"), fenced(text)])
    result = group.evolve(agent, "Halve.")
    assert result.attempts == 2
    assert quarter(8.0) == 2.0
    assert "double quarter(double x);" in said(agent, 0)


def test_a_recorded_run_is_repeated_without_its_agent(tmp_path):
    """With the recording and the same seed, all lanes have the same conversations and the same candidates again."""

    def fresh():
        @evolvable
        def f(x: f64, n: i64) -> f64:
            """A product."""
            return x * n

        return f

    def variants(name):
        async def ask(messages):
            await asyncio.sleep(0.01)
            wrong = len(messages) == 2 and "b" in messages[1]["content"].rstrip()[-1]
            return UNTYPED if wrong else fenced(f"double f(double x, int64_t n) {{ return x * n + {name}; }}")

        return ask

    def run(agent):
        lanes = fresh().evolve_batch(agent, ["a", "b", "c", "d"])
        return [(lane.result.source, [a.kind for a in lane.trace.attempts]) for lane in lanes]

    path = tmp_path / "run.jsonl"
    agents = sj.Ensemble([(variants(1), 1), (variants(2), 2)], seed=3)
    recorded = run(sj.Recording(path).record(agents))
    assert run(sj.Recording(path).replay()) == recorded
    assert recorded[1][1] == ["compile", "accepted"]


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


def test_spans_and_metrics_follow_the_conventions(kernel):
    """With an exporter configured, a lane is a span with its requests inside, and tokens are counted by type."""
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    kernel.evolve(ScriptedAgent([Reply(GOOD, usage=Usage(10, 0, 5), model="m")]), "Multiply.")
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert spans["chat"].parent.span_id == spans["invoke_agent f"].context.span_id
    attributes = spans["chat"].attributes
    assert (attributes["gen_ai.operation.name"], attributes["gen_ai.request.model"]) == ("chat", "m")
    assert (attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]) == (10, 5)
    found = {m.name: m for r in reader.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics}
    points = found["gen_ai.client.token.usage"].data.data_points
    assert {p.attributes["gen_ai.token.type"]: p.sum for p in points} == {"input": 10, "output": 5}


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

    @evolvable
    def f(x: f64, n: i64) -> f64:
        """A product."""
        return x * n

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


# -- prompts ----------------------------------------------------------------------------------------------------------


def texts():
    """Every whole text that a model can be sent."""

    @sj.record
    class Candle:
        open: f64
        close: f64

    @evolvable
    def score(c: Array[Candle, "n"], w: Array[f64, "n"], bias: f64, out: sj.Out[f64, "n"]) -> f64:
        """Weighted gains.

        Of each candle, its gain times its weight.
        """

    failure = Rejection(
        "compile",
        "3:10: error: use of undeclared identifier 'y' [compiler]\n      return y;\n             ^",
        "",
        "undeclared 'y'",
    )
    base = write_task_prompt([score.signature], "Make it fast.", "double score(...);\n")
    return {
        "system": write_system_prompt(),
        "task": base,
        "task_first": write_task_prompt([score.signature], "Make it fast.", None),
        "fresh_start": write_fresh_start(base, failure),
        **{f"correct_{kind}": write_correction(Rejection(kind, failure.message)) for kind in CORRECTIONS},
    }


@pytest.mark.parametrize("name", sorted(texts()))
def test_the_texts_are_what_they_were(name):
    """A change of a prompt is seen as a whole; `python -m tests.test_repair` writes them anew."""
    assert texts()[name] == (GOLDEN / f"{name}.txt").read_text()


def test_the_prompt_knows_every_kind_of_panic():
    """What instrumented code can panic of is what the model is told of."""
    assert set(PANICS) == set(_MESSAGES)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in texts().items():
        (GOLDEN / f"{name}.txt").write_text(text)
