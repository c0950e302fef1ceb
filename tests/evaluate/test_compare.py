"""Verdicts about variants, from times that are given."""

import numpy as np
import pytest

from symbiont_jit.evaluate.compare import (
    MOST_TIMES,
    Series,
    _cpu_time_ns,
    judge,
    thin,
    type_of_series,
    variant_of_phase,
)
from symbiont_jit.isolate.messages import ReplyReader, WorkerReply, write_message
from symbiont_jit.isolate.sandbox import limit_processor_time
from symbiont_jit.isolate.worker import Worker


def series(name, center, rng, noise=0.01, problem=None):
    times = center * np.exp(rng.normal(0, noise, (10, 15)))
    return Series(name, tuple(map(tuple, times.tolist())), problem)


@pytest.mark.parametrize(
    ("center", "verdict"), [(50, "faster"), (95, "faster"), (100, "no difference"), (105, "slower"), (200, "slower")]
)
def test_verdicts(center, verdict):
    """A variant is faster or slower where its whole interval is, by more than the first one differs from itself."""
    rng = np.random.default_rng(5)
    rows, noise = judge([series("first", 100, rng), series("other", center, rng), series("again", 100, rng)], 7)
    assert [row.verdict for row in rows] == ["first", verdict]
    assert [row.size for row in rows] == [7, 7]
    assert rows[1].ratio.low <= 100 / center * 1.01
    assert rows[1].ratio.high >= 100 / center * 0.99
    assert noise.low <= 1.01
    assert noise.high >= 0.99


def test_noise_decides():
    """Where the first variant differs from itself by 20 %, a difference of 10 % is none."""
    rng = np.random.default_rng(6)
    rows, _ = judge([series("first", 100, rng), series("other", 90, rng), series("again", 80, rng)])
    assert rows[1].verdict == "no difference"


def test_a_problem_is_no_verdict_about_time():
    """Wrong results keep their times, and a variant that has none is not measured."""
    rng = np.random.default_rng(7)
    wrong, lost = series("wrong", 1, rng, problem="the result is 1"), Series("lost", problem="it ended the process")
    rows, _ = judge([series("first", 100, rng), wrong, lost, series("again", 100, rng)])
    assert [row.verdict for row in rows[1:]] == ["problem", "problem"]
    assert rows[1].ns.is_known
    assert not rows[2].ns.is_known


def test_a_phase_says_whose_turn_it_is():
    """The number of the variant is found again in the words; other words are nobody's."""
    assert variant_of_phase("measuring variant 3") == 3
    assert variant_of_phase("getting ready") is None
    assert variant_of_phase("measuring variant x") is None


def test_turns_that_are_left_out_are_the_same_for_all():
    """Ratios are taken turn by turn, so each variant keeps the times of the same turns."""
    many = [
        Series(name, tuple(tuple(range(start, start + 9000)) for _ in range(20)))
        for name, start in (("a", 0), ("b", 7))
    ]
    few = thin(many)
    assert sum(len(block) for one in few for block in one.blocks) <= MOST_TIMES
    assert all(b - a == 7 for x, y in zip(few[0].blocks, few[1].blocks, strict=True) for a, b in zip(x, y, strict=True))
    assert thin(few) == few


@pytest.mark.parametrize("variants", [2, 3, 40, 300])
def test_the_times_of_a_long_comparison_are_read(variants):
    """However long it lasts, what its worker sends has no more parts than its parent reads."""
    names = [f"variant {number}" for number in range(variants)]
    series = thin([Series(name, ((1.5,) * (60_000 // variants),) * 20) for name in names])
    assert ReplyReader(type_of_series(names)).read(write_message(WorkerReply(series))).value == series


TURNS = ((1.0, 2.0), (3.0,))
FORGED = {
    "nothing": [],
    "one of two": [Series("a", TURNS)],
    "another name": [Series("a", TURNS), Series("c", TURNS)],
    "no block": [Series("a"), Series("b")],
    "an empty block": [Series("a", ((),)), Series("b", ((),))],
    "ragged blocks": [Series("a", TURNS), Series("b", ((1.0,), (3.0,)))],
    "a block more": [Series("a", TURNS), Series("b", (*TURNS, (1.0,)))],
    "a time below 0": [Series("a", TURNS), Series("b", ((1.0, -2.0), (3.0,)))],
    "a time without an end": [Series("a", TURNS), Series("b", ((1.0, float("inf")), (3.0,)))],
    "no number": [Series("a", TURNS), Series("b", ((1.0, float("nan")), (3.0,)))],
}


@pytest.mark.parametrize("series", FORGED.values(), ids=FORGED)
def test_what_no_comparison_says_is_refused(series):
    """Code that has taken the worker over may write any series; those that do not belong together are no answer."""
    with pytest.raises(ValueError, match=r"times of|turns|time that is none"):
        ReplyReader(type_of_series(["a", "b"])).read(write_message(WorkerReply(series)))


def test_a_variant_that_raised_has_times_that_are_none():
    """So says an honest comparison, and the names are those that were given, whatever a terminal makes of them."""
    series = [Series("a\x1b", TURNS), Series("b", ((1.0, float("nan")), (3.0,)), "it raised")]
    first, second = ReplyReader(type_of_series(["a\x1b", "b"])).read(write_message(WorkerReply(series))).value
    assert (first, second.problem) == (series[0], "it raised")


@pytest.mark.slow
def test_processor_time_in_a_worker_has_microseconds():
    """A limit on processor time makes the process's own clock coarse; what is measured is not."""

    def steps(_):
        limit_processor_time(1000)
        seen = {_cpu_time_ns() for _ in range(20_000)}
        return len(seen)

    worker = Worker(steps)
    try:
        assert worker.ask(None, 30.0).value > 200
    finally:
        worker.close()
