"""Functions whose bodies a model writes: the user's sentence `kernel.evolve(agent, prompt)`, delegated to `llm`.

What speaks with models is imported by the first such sentence, because most programs with a kernel never say one.
"""

from __future__ import annotations

import contextlib
import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Unpack

from symbiont_jit.engine.target import CompileTarget, TargetOwner
from symbiont_jit.errors import SymbiontError, UsageError
from symbiont_jit.evaluate.facts import find_facts
from symbiont_jit.kernel.inspect import describe_remarks
from symbiont_jit.kernel.profiles import require_profile

if TYPE_CHECKING:
    from symbiont_jit.llm.budget import Budget
    from symbiont_jit.llm.lane import CheckFunction, EvolveResult, Options
    from symbiont_jit.llm.lanes import LaneOptions, LaneOutcome, LaneStream
    from symbiont_jit.llm.limiter import RateLimiter

__all__ = ["ModelWritten"]

#: A line of remarks that says why a loop was not made into vectors.
_OBSTACLE: Final = re.compile(r"(?m)^(\d+):\d+: loop-vectorize, because: (loop not vectorized: .*)$")
#: The longest reason that is told, in characters.
MAX_REASON: Final = 200


class ModelWritten(TargetOwner):
    """Functions whose bodies a model can write."""

    @abstractmethod
    def activate(self, revision: Any) -> Any:
        """Send all later calls to a revision."""

    def evolve(
        self,
        agent: Any,
        prompt: str,
        *,
        attempts: int | None = None,
        budget: Budget | None = None,
        check: CheckFunction | None = None,
        profile: str | None = None,
        system: str | None = None,
    ) -> EvolveResult:
        """Let a model write the body: ask, compile, check, correct, until an answer is accepted, and activate that.

        Args:
            agent: An `sj.Agent`, or an async function of chat messages.
            prompt: What is wanted, in words. Added to it are the signatures with their documentation, the Python body,
                the present C, what kept clang from making vectors of it, and how candidates are judged.
            attempts: How many answers may be tried, 10 by default; it overrides the budget's.
            budget: Limits of attempts, requests, tokens, money and seconds.
            check: Judges the canonical source of a candidate that compiles, and may be async. It returns an
                `Evaluation` (`check=evolution.evaluate`, which runs it in a worker); None, True or a number, which is a
                score, where the candidate is accepted; False or a text that says what is wrong where it is not. What
                it raises ends the call.
            profile: `safe`, `checked` or `release`; by default the kernel's own.
            system: A system prompt instead of the package's own.

        Returns:
            The active revision, what it cost, and the trace.

        Raises:
            EvolveError: No answer was accepted; its `trace` has everything that happened.
        """
        from symbiont_jit.llm import lanes

        options = lanes.LaneOptions(attempts=attempts, budget=budget, check=check, profile=profile, system=system)
        return lanes.run(self.aevolve(agent, prompt, **options))

    async def aevolve(self, agent: Any, prompt: str, **options: Unpack[LaneOptions]) -> EvolveResult:
        """Do what `evolve` does, for code that has an event loop."""
        from symbiont_jit.llm import lanes

        return await lanes.evolve(self._target, agent, prompt, self._lane_options(**options), self.activate)

    def evolve_batch(
        self,
        agent: Any,
        prompts: Sequence[str],
        *,
        max_in_flight: int | RateLimiter | None = None,
        **options: Unpack[LaneOptions],
    ) -> list[LaneOutcome]:
        """Run one lane a prompt, all at the same time; what is accepted is registered, nothing activated.

        Args:
            agent: An `sj.Agent`, or an async function of chat messages.
            prompts: What is wanted, once for each lane.
            max_in_flight: How many requests may be under way at a time, 32 by default.
            options: Those of `evolve`; `budget` is that of each lane.

        Returns:
            The outcomes in the order of the prompts; one that failed has an `error` and touches no other.
        """
        under_way = self.evolve_stream(agent, prompts, max_in_flight=max_in_flight, **options)
        return sorted(under_way, key=lambda lane: lane.index)

    async def aevolve_batch(
        self,
        agent: Any,
        prompts: Sequence[str],
        *,
        max_in_flight: int | RateLimiter | None = None,
        **options: Unpack[LaneOptions],
    ) -> list[LaneOutcome]:
        """Do what `evolve_batch` does, for code that has an event loop."""
        under_way = self.evolve_stream(agent, prompts, max_in_flight=max_in_flight, **options)
        return sorted([lane async for lane in under_way], key=lambda lane: lane.index)

    def evolve_stream(
        self,
        agent: Any,
        prompts: Sequence[str],
        *,
        max_in_flight: int | RateLimiter | None = None,
        **options: Unpack[LaneOptions],
    ) -> LaneStream:
        """Return a stream that yields the lanes of `evolve_batch` as they finish, in `for` and `async for`."""
        from symbiont_jit.llm import lanes

        return lanes.stream(self._target, agent, prompts, self._lane_options(**options), max_in_flight)

    def _lane_options(
        self,
        attempts: int | None = None,
        budget: Budget | None = None,
        check: CheckFunction | None = None,
        profile: str | None = None,
        system: str | None = None,
    ) -> Options:
        """Return what all lanes of a call have in common; the active revision's C is what the model begins from."""
        from symbiont_jit.llm.budget import Budget
        from symbiont_jit.llm.lane import Options
        from symbiont_jit.llm.prompts import TaskDescription

        if not isinstance(budget, Budget | None):
            raise UsageError(f"budget is a Budget, such as sj.Budget(attempts=5), not {budget!r:.80}")
        target = self._target
        chosen = budget or Budget()
        chosen = replace(chosen, attempts=attempts) if attempts is not None else chosen
        task = TaskDescription(
            signatures=target.signatures,
            reference=target.reference,
            current=target.current,
            remarks=_list_obstacles(target),
            facts=find_facts(getattr(getattr(check, "__self__", None), "metric", None), target),
        )
        return Options(require_profile(profile or target.profile), task, chosen, check, system)


def _list_obstacles(target: CompileTarget) -> list[str]:
    """List what kept clang from making vectors of the active revision's loops; nothing where it is no C."""
    active = target.engine.active
    if active is None or active.language != "c":
        return []
    with contextlib.suppress(SymbiontError):
        found = _OBSTACLE.findall(describe_remarks(target.engine, active))
        return list(dict.fromkeys(f"line {line}: {reason[:MAX_REASON]}" for line, reason in found))
    return []
