"""Many lanes at a time against a local server: how little of the time is not spent waiting for the model.

A real HTTP server on this machine answers each request after one second, with a different function each time. `lanes`
lanes run at once, from `evolve_batch` to all revisions registered; a first, uncounted batch warms up. `alone` is one
lane after another, for a few of them. The harness's own cost is what an attempt takes beside the model, stage by stage,
from the traces of lanes that run one at a time against a server that answers at once: `client` is the HTTP round trip.
"""

import itertools
import time
from collections.abc import Sequence
from typing import Any, Final

from _table import options, save, say, show, spread
from numba import float64 as f64

import symbiont_jit as sj
from symbiont_jit.testing.server import Server, TextReply

TARGET: Final = 1.6
DELAY: Final = 1.0
STAGES: Final = ("model", "read", "parse", "validate", "clang")
_NUMBERS: Final = itertools.count()


def kernel() -> Any:
    @sj.evolvable
    def f(x: f64) -> f64:
        """Any number."""

    return f


def reply(delay: float, is_right: bool = True) -> TextReply:
    """A function that nobody has compiled before."""
    number = next(_NUMBERS)
    body = (
        f"double s = {number};\n  for (int i = 0; i < 10; i++) s += x * i;\n  return {'s' if is_right else 'missing'};"
    )
    return TextReply(f"Here it is:\n\n```c\ndouble f(double x)\n{{\n  {body}\n}}\n```\n", delay=delay)


def batch(server: Server, lanes: int) -> float:
    """Seconds from the call to all lanes registered."""
    target = kernel()
    agent = sj.Agent("scripted", base_url=server.url)
    started = time.perf_counter()
    outcomes = target.evolve_batch(agent, [f"Write number {i}." for i in range(lanes)], max_in_flight=lanes)
    seconds = time.perf_counter() - started
    assert all(lane.result is not None for lane in outcomes), next(o.error for o in outcomes if o.error)
    assert len(target.revisions) == lanes, "every lane has a revision of its own"
    return seconds


def one_by_one(server: Server, lanes: int) -> float:
    """Seconds a lane, one after the other."""
    target, agent = kernel(), sj.Agent("scripted", base_url=server.url)
    started = time.perf_counter()
    for i in range(lanes):
        target.evolve(agent, f"Write number {i}.")
    return (time.perf_counter() - started) / lanes


def attempts(count: int) -> Sequence[Any]:
    """The attempts of lanes that fail once each, against a server that answers at once."""
    right = itertools.cycle([False, True])
    with Server(lambda request: reply(0.0, next(right))) as server:
        target, agent = kernel(), sj.Agent("scripted", base_url=server.url)
        traces = [target.evolve(agent, f"Write number {i}.").trace for i in range(count)]
    return [attempt for trace in traces[1:] for attempt in trace.attempts]  # the first one warms up


def main() -> None:
    chosen = options("lanes", __doc__, rounds=7, lanes=32)
    with Server(lambda request: reply(DELAY)) as server:
        batch(server, chosen.lanes)
        seconds = [batch(server, chosen.lanes) for _ in range(chosen.rounds)]
        alone = one_by_one(server, 3)
    wall = spread(seconds)
    share = spread((s - DELAY) / s for s in seconds)
    show(
        f"{chosen.lanes} lanes, {DELAY:g} s a reply",
        ["", "median [quartiles]", "target"],
        [
            ["wall time, s", f"{wall:.3f}", f"{TARGET:g}"],
            ["not waiting for the model", f"{share:.1%}", ""],
            ["one lane alone, s", f"{alone:.3f}", ""],
            ["times as fast as one by one", f"{spread(alone * chosen.lanes / s for s in seconds):.1f}", ""],
        ],
    )
    done = attempts(chosen.rounds * 5)
    own = spread(1000 * a.own_seconds for a in done)
    stages = {name: spread(1000 * a.stages.get(name, 0.0) for a in done) for name in STAGES}
    rows = [["client (HTTP round trip)" if name == "model" else name, f"{s:.2f}"] for name, s in stages.items()]
    show("one attempt, ms", ["", "median [quartiles]"], [["all but the model", f"{own:.2f}"], *rows])
    say(f"target {'met' if wall.median <= TARGET else 'missed'}: {wall.median:.3f} s of {TARGET:g} s")
    save(chosen.json, chosen.rounds, {"wall": wall, "share": share, "alone": alone, "own": own, "stages": stages})


if __name__ == "__main__":
    main()
