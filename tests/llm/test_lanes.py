"""Many lanes at a time: batches, streams, cancellation."""

import asyncio
import threading

import pytest

import symbiont_jit as sj
from symbiont_jit import EvolveError
from tests.llm.answers import BETTER, GOOD, UNTYPED, fenced, product


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


def test_a_recorded_run_is_repeated_without_its_agent(tmp_path):
    """With the recording and the same seed, all lanes have the same conversations and the same candidates again."""

    def variants(name):
        async def ask(messages):
            await asyncio.sleep(0.01)
            wrong = len(messages) == 2 and "b" in messages[1]["content"].rstrip()[-1]
            return UNTYPED if wrong else fenced(f"double f(double x, int64_t n) {{ return x * n + {name}; }}")

        return ask

    def run(agent):
        lanes = product().evolve_batch(agent, ["a", "b", "c", "d"])
        return [(lane.result.source, [a.kind for a in lane.trace.attempts]) for lane in lanes]

    path = tmp_path / "run.jsonl"
    agents = sj.Ensemble([(variants(1), 1), (variants(2), 2)], seed=3)
    recorded = run(sj.Recording(path).record(agents))
    assert run(sj.Recording(path).replay()) == recorded
    assert recorded[1][1] == ["compile", "accepted"]
