"""Many lanes at a time: one prompt each, independent budgets, one gate in front of the model.

In: a kernel or group, an agent, prompts. Out: lanes in the order of the prompts, or as they finish. A lane that fails
touches no other; while one waits for the model, others compile.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from symbiont_jit.agents.protocol import as_agent
from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import UsageError
from symbiont_jit.llm.budget import Budget
from symbiont_jit.llm.lane import Check, Compiled, EvolveResult, Lane, Options
from symbiont_jit.llm.limiter import MAX_IN_FLIGHT, Gate
from symbiont_jit.llm.trace import Trace

__all__ = ["LaneOptions", "LaneOutcome", "LaneStream", "evolve", "run", "stream"]

Result = TypeVar("Result")


class LaneOptions(TypedDict, total=False):
    """What a call may say of its lanes; `attempts` overrides the budget's."""

    attempts: int | None
    budget: Budget | None
    check: Check | None
    profile: str | None
    system: str | None


@dataclass(frozen=True, slots=True)
class LaneOutcome:
    """How one lane ended: with a result or with an error; both have its trace."""

    index: int
    prompt: str
    trace: Trace
    result: EvolveResult | None = None
    error: Exception | None = None

    @property
    def revision(self) -> Any | None:
        """The handle of the accepted revision; None where there is none."""
        return None if self.result is None else self.result.revision

    def unwrap(self) -> EvolveResult:
        """The result; raises the lane's error where there is none."""
        if self.error is not None:
            raise self.error
        assert self.result is not None, "a lane has one of both"
        return self.result


async def evolve(
    workshop: CompileTarget, agent: Any, prompt: str, options: Options, finish: Callable[[Any], Any]
) -> EvolveResult:
    """One lane; `finish` gets the accepted revision, to activate it."""
    compiled = Compiled(workshop, options.profile)
    return await Lane(workshop, as_agent(agent), prompt, options, compiled, Gate(1), finish=finish).run()


class LaneStream:
    """Lanes under way: iterate, with `for` or `async for`, to get each as it finishes.

    `max_in_flight` is how many requests are under way at a time; it may be changed while lanes run. `traces` are those
    of all lanes, also of those under way and cancelled. Leaving the loop early cancels the rest; what was paid for by
    then is compiled and registered.
    """

    def __init__(self, lanes: Sequence[Lane], gate: Gate, compiled: Compiled) -> None:
        self._lanes = list(lanes)
        self._gate = gate
        self._compiled = compiled
        self._is_used = False

    @property
    def max_in_flight(self) -> int:
        """The most requests at a time."""
        return self._gate.limit

    @max_in_flight.setter
    def max_in_flight(self, limit: int) -> None:
        self._gate.limit = limit

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What has happened in each lane so far."""
        return tuple(lane.trace for lane in self._lanes)

    @property
    def compiled(self) -> int:
        """How many candidates were compiled; equal ones count once."""
        return self._compiled.count

    async def __aiter__(self) -> AsyncIterator[LaneOutcome]:
        self._use()
        # While the first requests are under way, compilers get ready for their answers.
        ready = asyncio.create_task(self._expect(min(len(self._lanes), self._gate.limit)))
        tasks = [asyncio.create_task(_ended(lane)) for lane in self._lanes]
        try:
            for ended in asyncio.as_completed(tasks):
                yield await ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, ready, return_exceptions=True)
            await self._expect(1)

    async def _expect(self, answers: int) -> None:
        await asyncio.to_thread(self._compiled.workshop.prewarm, answers, self._compiled.profile)

    def __iter__(self) -> Iterator[LaneOutcome]:
        """The same for code that is not asynchronous: the lanes run in a thread."""
        outcomes: queue.SimpleQueue[LaneOutcome | BaseException | None] = queue.SimpleQueue()
        loop: asyncio.AbstractEventLoop | None = None
        pump: asyncio.Task[None] | None = None
        started = threading.Event()

        async def pumped() -> None:
            nonlocal loop, pump
            loop, pump = asyncio.get_running_loop(), asyncio.current_task()
            started.set()
            async with contextlib.aclosing(aiter(self)) as lanes:  # type: ignore[type-var]
                async for lane in lanes:
                    outcomes.put(lane)

        def work() -> None:
            try:
                asyncio.run(pumped())
            except asyncio.CancelledError:
                outcomes.put(None)
            except BaseException as error:
                outcomes.put(error)
            else:
                outcomes.put(None)
            finally:
                started.set()

        thread = threading.Thread(target=copy_context().run, args=(work,), name="symbiont_jit lanes", daemon=True)
        thread.start()
        try:
            while (outcome := outcomes.get()) is not None:
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            started.wait()
            if loop is not None and pump is not None and thread.is_alive():
                with contextlib.suppress(RuntimeError):  # the loop has just ended by itself
                    loop.call_soon_threadsafe(pump.cancel)
            thread.join()

    def _use(self) -> None:
        if self._is_used:
            raise UsageError("these lanes have been run; call evolve_stream again for new ones")
        self._is_used = True


async def _ended(lane: Lane) -> LaneOutcome:
    try:
        result = await lane.run()
    except Exception as error:  # whatever it is, it is this lane's alone
        return LaneOutcome(lane.index, lane.task, lane.trace, error=error)
    return LaneOutcome(lane.index, lane.task, lane.trace, result)


def stream(
    workshop: CompileTarget, agent: Any, prompts: Sequence[str], options: Options, max_in_flight: int | Gate | None
) -> LaneStream:
    """One lane for each prompt, not started yet."""
    if isinstance(prompts, str) or not isinstance(prompts, Sequence):
        raise UsageError(f"prompts is a list of texts, one for each lane, not {prompts!r:.60}")
    gate = max_in_flight if isinstance(max_in_flight, Gate) else Gate(max_in_flight or MAX_IN_FLIGHT)
    ask, compiled = as_agent(agent), Compiled(workshop, options.profile)
    lanes = [Lane(workshop, ask, prompt, options, compiled, gate, i) for i, prompt in enumerate(prompts)]
    return LaneStream(lanes, gate, compiled)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, also where an event loop is running already (in a notebook): in a thread then."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    # Nobody waits for the thread but for its result: Ctrl-C here leaves it.
    return ThreadPoolExecutor(1, "symbiont_jit evolve").submit(copy_context().run, asyncio.run, work).result()
