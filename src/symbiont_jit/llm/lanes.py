"""Many lanes at a time: one prompt each, independent budgets, one limiter of requests before the model.

In: a kernel or group, an agent, prompts. Out: lanes in the order of the prompts, or as they finish. A lane that fails
touches no other; while one waits for the model, others compile.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Final, TypedDict, TypeVar

from symbiont_jit.agents.protocol import as_agent
from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import UsageError
from symbiont_jit.llm.budget import Budget
from symbiont_jit.llm.compilations import Compilations
from symbiont_jit.llm.lane import EvolveResult, Lane, Options
from symbiont_jit.llm.limiter import MAX_IN_FLIGHT, RateLimiter
from symbiont_jit.llm.rejections import CheckFunction
from symbiont_jit.llm.trace import Trace

__all__ = ["LaneOptions", "LaneOutcome", "LaneStream", "evolve", "run", "stream"]

Result = TypeVar("Result")

#: How often a call that blocks an event loop looks whether its task was cancelled.
INTERVAL_SECONDS: Final = 0.05
#: How long an interrupted call waits for the end of what it cancels.
CANCELLATION_SECONDS: Final = 5.0


class LaneOptions(TypedDict, total=False):
    """The options of a call; `attempts` overrides the attempts of `budget`."""

    attempts: int | None
    budget: Budget | None
    check: CheckFunction | None
    profile: str | None
    system: str | None


@dataclass(frozen=True, slots=True)
class LaneOutcome:
    """The end of one lane: a result or an error.

    Attributes:
        index: The number of the lane's prompt in the call, from 0.
        prompt: The lane's prompt.
        trace: Everything that happened in the lane.
        result: The accepted answer; None where the lane failed.
        error: Why the lane failed, mostly an `EvolveError`; None where it did not.

    Example:
        >>> for lane in kernel.evolve_batch(agent, ["Unroll it.", "Block it."]):
        ...     print(lane.prompt, lane.revision if lane.error is None else lane.error)
    """

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
        """Give the result.

        Returns:
            The accepted answer.

        Raises:
            Exception: The lane's own error, where it has no result.
        """
        if self.error is not None:
            raise self.error
        assert self.result is not None, "a lane has one of both"
        return self.result


async def evolve(
    target: CompileTarget, agent: Any, prompt: str, options: Options, finish: Callable[[Any], Any]
) -> EvolveResult:
    """Run one lane; `finish` is called with the accepted revision, to activate it."""
    compilations = Compilations(target, options.profile)
    return await Lane(target, as_agent(agent), prompt, options, compilations, RateLimiter(1), finish=finish).run()


class LaneStream:
    """Lanes under way: iterate, with `for` or `async for`, to get each outcome as its lane finishes.

    `kernel.evolve_stream` makes it, and nothing is asked before the iteration begins. A stream is iterated once.
    Leaving the loop early cancels the lanes that are left; answers that had come by then are compiled and registered.

    Raises:
        UsageError: The stream was iterated before.

    Example:
        >>> lanes = kernel.evolve_stream(agent, prompts, max_in_flight=4)
        >>> for lane in lanes:
        ...     lanes.max_in_flight = 8
        ...     print(lane.index, lane.error)
    """

    def __init__(self, lanes: Sequence[Lane], limiter: RateLimiter, compilations: Compilations) -> None:
        self._lanes = list(lanes)
        self._limiter = limiter
        self._compilations = compilations
        self._is_used = False

    @property
    def max_in_flight(self) -> int:
        """How many requests may be in flight at a time; it may be changed while lanes run."""
        return self._limiter.max_in_flight

    @max_in_flight.setter
    def max_in_flight(self, limit: int) -> None:
        self._limiter.max_in_flight = limit

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What has happened in each lane so far, in the order of the prompts; cancelled lanes are among them."""
        return tuple(lane.trace for lane in self._lanes)

    @property
    def compile_count(self) -> int:
        """How many candidates were compiled so far; equal ones count once."""
        return self._compilations.count

    async def __aiter__(self) -> AsyncIterator[LaneOutcome]:
        self._mark_used()
        # While the first requests are under way, compilers get ready for their answers.
        ready = asyncio.create_task(self._prewarm(min(len(self._lanes), self._limiter.max_in_flight)))
        tasks = [asyncio.create_task(run_to_outcome(lane)) for lane in self._lanes]
        try:
            for ended in asyncio.as_completed(tasks):
                yield await ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, ready, return_exceptions=True)
            await self._prewarm(1)

    async def _prewarm(self, answers: int) -> None:
        await asyncio.to_thread(self._compilations.target.prewarm, answers, self._compilations.profile)

    def __iter__(self) -> Iterator[LaneOutcome]:
        """Run the lanes in a thread of their own, for code that is not asynchronous."""
        outcomes: queue.SimpleQueue[LaneOutcome | BaseException | None] = queue.SimpleQueue()
        loop: asyncio.AbstractEventLoop | None = None
        pump: asyncio.Task[None] | None = None
        started = threading.Event()

        async def pump_outcomes() -> None:
            nonlocal loop, pump
            loop, pump = asyncio.get_running_loop(), asyncio.current_task()
            started.set()
            async with contextlib.aclosing(aiter(self)) as lanes:  # type: ignore[type-var]
                async for lane in lanes:
                    outcomes.put(lane)

        def work() -> None:
            try:
                asyncio.run(pump_outcomes())
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
                with contextlib.suppress(RuntimeError):  # The loop may have ended by itself meanwhile.
                    loop.call_soon_threadsafe(pump.cancel)
            thread.join()

    def _mark_used(self) -> None:
        if self._is_used:
            raise UsageError("these lanes have been run; call evolve_stream again for new ones")
        self._is_used = True


async def run_to_outcome(lane: Lane) -> LaneOutcome:
    """Run a lane to its end; gives its outcome, and raises only a cancellation and what the user's check raises."""
    try:
        result = await lane.run()
    except Exception as error:  # Whatever else a lane raises is its own and stops no other lane.
        if error is lane.check_error:
            raise
        return LaneOutcome(lane.index, lane.task, lane.trace, error=error)
    return LaneOutcome(lane.index, lane.task, lane.trace, result)


def stream(
    target: CompileTarget, agent: Any, prompts: Sequence[str], options: Options, max_in_flight: int | RateLimiter | None
) -> LaneStream:
    """Make one lane for each prompt; they begin when the stream is iterated.

    `max_in_flight` is a number or a `RateLimiter`, which several calls may share. Raises `UsageError` for prompts that
    are no list of texts.
    """
    if isinstance(prompts, str) or not isinstance(prompts, Sequence):
        raise UsageError(f"prompts is a list of texts, one for each lane, not {prompts!r:.60}")
    limiter = max_in_flight if isinstance(max_in_flight, RateLimiter) else RateLimiter(max_in_flight or MAX_IN_FLIGHT)
    ask, compilations = as_agent(agent), Compilations(target, options.profile)
    lanes = [Lane(target, ask, prompt, options, compilations, limiter, i) for i, prompt in enumerate(prompts)]
    return LaneStream(lanes, limiter, compilations)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end; where an event loop is running already (in a notebook), in a thread of its own.

    Ctrl-C ends it in either case: what is waited for is cancelled, before the interruption is raised here.
    """
    try:
        waiting = asyncio.current_task(asyncio.get_running_loop())
    except RuntimeError:
        return asyncio.run(work)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def note_and_run() -> Result:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task))
        return await work

    thread = ThreadPoolExecutor(1, "symbiont_jit evolve")
    done = thread.submit(copy_context().run, asyncio.run, note_and_run())
    try:
        return _wait_for(done, waiting)
    except BaseException:
        if not done.done():
            loop, task = started.result()
            with contextlib.suppress(RuntimeError):  # The loop has ended meanwhile.
                loop.call_soon_threadsafe(task.cancel)
            wait([done], CANCELLATION_SECONDS)
        raise


def _wait_for(done: Future[Result], waiting: asyncio.Task[Any] | None) -> Result:
    """Wait for a result; raise `CancelledError` where the task is cancelled that waits.

    `asyncio.run` answers Ctrl-C by cancelling its task, which does not see that while this function blocks the loop.
    """
    before = waiting.cancelling() if waiting is not None else 0
    while not wait([done], INTERVAL_SECONDS).done:
        if waiting is not None and waiting.cancelling() > before:
            raise asyncio.CancelledError
    return done.result()
