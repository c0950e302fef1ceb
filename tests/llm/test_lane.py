"""The repair loop: what fails goes back to the model, each failure with its own words, until an answer is right."""

import asyncio
import json

import numpy as np
import pytest
from numba import float64 as f64

import symbiont_jit as sj
from symbiont_jit import Array, EvolveError, Usage, UsageError, evolvable
from symbiont_jit.agents.protocol import ContextOverflow, TurnLimit
from symbiont_jit.llm.prompts import CORRECTIONS
from symbiont_jit.testing import ScriptedAgent
from tests.kernels import TOTAL_HEAD, total
from tests.llm.answers import BETTER, GOOD, UNTYPED, fenced

UNREADABLE = fenced("double f(double x, int64_t n) { return x * * ; }")
FORBIDDEN = fenced('double f(double x, int64_t n) { system("ls"); return x; }')
OTHER_TYPES = fenced("double f(float x, int64_t n) { return x; }")
SUM = """double added(int64_t n, const double x[n])
{
  // as it was written
  double s = 0;
  for (int64_t i = 0; i < n; i++)
    s += x[i];
  return s;
}
"""
CUT_OFF = "```c\ndouble f(double x, int64_t n) {\n  double s = 0;\n  for (int64_t i = 0; i <"


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
    assert "came twice: write the function in another way" in said(agent, 2)
    assert "Multiply." in said(agent, 2)


def test_a_model_is_told_what_to_compute_and_how_it_is_judged():
    """The Python body, what kept clang from making vectors, and the lengths, where a search judges."""

    @evolvable(source=SUM)
    def added(x: Array[f64, "n"]) -> f64:
        """The sum."""
        s = 0.0
        for i in range(len(x)):
            s += x[i]
        return s

    agent = ScriptedAgent([fenced(SUM.replace("s += x[i]", "s = s + x[i]"))])
    with sj.Evolution(added, metric=sj.Speedup(lambda rng: (rng.random(5000),))) as search:
        added.evolve(agent, "Make it fast.", check=search.evaluate)
    told = said(agent, 0)
    assert "    s = 0.0\n    for i in range(len(x)):\n" in told
    assert "// as it was written" in told
    assert "line 6: loop not vectorized: cannot prove it is safe to reorder floating-point operations" in told
    assert "timed with n = 5,000 (the largest array has 39.1 KiB)" in told
    assert told.endswith("# Task\nMake it fast.\n")


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
        ("for (int64_t i = 1; i < n; i++) s += x[i]; s += 1;", "wrong", "it shows in total(x=[0.0])"),
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
        (float("nan"), "the check said nan"),
        (np.False_, "the check said False"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("right", [None, True, 1.5, 0, np.float32(2), np.True_])
def test_a_check_may_be_any_function(kernel, answer, words, is_async, right):
    """A text says what is wrong; None, True and numbers, which are scores, accept; it may be async."""
    answers = [answer, right]

    async def wait_and_check(source):
        await asyncio.sleep(0)
        return answers.pop(0)

    agent = ScriptedAgent([GOOD, BETTER])
    check = wait_and_check if is_async else lambda source: answers.pop(0)
    result = kernel.evolve(agent, "Multiply.", check=check)
    assert result.trace.attempts[0].kind == "wrong"
    assert words in said(agent, 1)


def test_what_a_check_raises_ends_the_call(kernel):
    """It is the user's own, and no answer is asked for after it; the kernel is as it was."""

    def check(source):
        raise ZeroDivisionError("oh")

    agent = ScriptedAgent([GOOD] * 3)
    with pytest.raises(ZeroDivisionError, match="oh"):
        kernel.evolve(agent, "Multiply.", check=check)
    assert len(agent.calls) == 1
    with pytest.raises(ZeroDivisionError, match="oh"):
        kernel.evolve_batch(ScriptedAgent([GOOD] * 8), ["Multiply."] * 8, check=check, max_in_flight=1)
    assert kernel.active.number == 0


# -- what the model cannot do ------------------------------------------------------------------------------------------


def test_a_conversation_that_is_too_long_begins_anew(kernel):
    """Overflow drops the history; the prompt is the first one again, with a line for what was learnt."""
    agent = ScriptedAgent([UNTYPED, ContextOverflow("maximum context length is 4096 tokens"), GOOD])
    result = kernel.evolve(agent, "Multiply.")
    assert [a.kind for a in result.trace.attempts] == ["compile", "context_overflow", "accepted"]
    (system, first), (again_system, again) = agent.calls[0], agent.calls[2]
    assert again_system == system
    assert again["content"].startswith(first["content"])
    lesson = "tried again:\n- use of undeclared identifier 'y'\n"
    assert again["content"].endswith(lesson)


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
