"""The repair loop: ask, read, compile, check; what is wrong goes back until an answer is right or the budget ends.

In: a target that compiles (a kernel or a group), an agent, a prompt. Out: an `EvolveResult` or an `EvolveError`, both
with the lane's trace. Every call begins with a fresh conversation. Nothing in this module knows clang, Numba or a
network.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from symbiont_jit.agents.protocol import Ask, ContextOverflow, Reply, TurnLimit, Usage, use_meter
from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import AgentError, CandidateError, EvolveError, UsageError, pluralize
from symbiont_jit.llm import telemetry
from symbiont_jit.llm.budget import Budget, BudgetExceeded, Spending
from symbiont_jit.llm.compilations import Compilations
from symbiont_jit.llm.limiter import RateLimiter
from symbiont_jit.llm.prompts import (
    TaskDescription,
    write_correction,
    write_fresh_start,
    write_system_prompt,
    write_task_prompt,
)
from symbiont_jit.llm.rejections import CheckFunction, Rejection, ask_check, reject_error, reject_verdict
from symbiont_jit.llm.replies.read import FoundCode, read_reply
from symbiont_jit.llm.trace import Attempt, Trace
from symbiont_jit.stages import collect_stages, stage

__all__ = ["CheckFunction", "Compilations", "EvolveResult", "Lane", "Options"]

_LOG: Final = logging.getLogger("symbiont_jit.llm")

#: How often a lane may begin anew because its conversation has become too long for the model.
MAX_CONTEXT_RESETS: Final = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What all lanes of one call have in common.

    Attributes:
        profile: The profile that candidates are compiled for: `safe`, `checked` or `release`.
        task: What prompts say besides the user's words; its present C is also what edits apply to.
        budget: The most that each lane may spend.
        check: Judges the source of a candidate that compiles; None accepts what compiles.
        system: A system prompt in place of the project's own.
    """

    profile: str
    task: TaskDescription
    budget: Budget = field(default_factory=Budget)
    check: CheckFunction | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class EvolveResult:
    """A model's accepted answer.

    Attributes:
        revision: The handle of the accepted revision.
        source: The canonical C of that revision.
        attempts: How many answers it took, the accepted one included.
        spent: What the lane spent: requests, tokens, money, seconds.
        left: What is left of each limit of the budget, by the limit's name and in its unit.
        trace: Everything that happened in the lane.

    Example:
        >>> result = kernel.evolve(agent, "Make it faster.")
        >>> print(result)
        >>> result.left["attempts"]
    """

    revision: Any
    source: str
    attempts: int
    spent: Spending
    left: dict[str, float]
    trace: Trace

    @property
    def usage(self) -> Usage:
        """The tokens of all attempts."""
        return self.spent.usage

    def __str__(self) -> str:
        tokens = f"{self.usage.input + self.usage.output:,} tokens" if self.usage.is_known else "unknown tokens"
        return f"{self.revision!r} after {pluralize(self.attempts, 'attempt')}, {tokens}, {self.trace.seconds:.2f} s"


class _RejectedAnswer(Exception):  # noqa: N818  it is the model's answer and nobody's error
    """An answer that was not taken."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.kind)
        self.rejection = rejection


@dataclass(slots=True)
class Lane:
    """One prompt on its way to a revision, with a conversation and a budget of its own.

    `finish` is called with the accepted revision before the lane ends, to activate it. `check_error` is what the user's
    check has raised, which would be raised for every other answer, too.
    """

    target: CompileTarget
    ask: Ask
    task: str
    options: Options
    compilations: Compilations
    limiter: RateLimiter
    index: int = 0
    finish: Callable[[Any], Any] | None = None
    check_error: Exception | None = None
    spent: Spending = field(init=False)
    trace: Trace = field(init=False)
    _base: str = field(init=False)
    _messages: list[dict[str, Any]] = field(init=False)
    _refused: set[str] = field(default_factory=set)
    _lessons: list[str] = field(default_factory=list)
    _resets: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.task, str) or not self.task.strip():
            raise UsageError(f"a prompt is text that says what is wanted, not {self.task!r:.60}")
        system = write_system_prompt() if self.options.system is None else self.options.system
        self._base = write_task_prompt(replace(self.options.task, words=self.task))
        self.spent = Spending(self.options.budget)
        self.trace = Trace(self.index, self.task, system)
        self._start_conversation(self._base)

    def _start_conversation(self, prompt: str) -> None:
        """Begin a fresh conversation with a prompt; what was said before stays in the trace alone."""
        self._messages = [{"role": "system", "content": self.trace.system}]
        self._say(prompt)

    def _say(self, prompt: str) -> None:
        """Add a message to the conversation and to the trace."""
        message = {"role": "user", "content": prompt}
        self._messages.append(message)
        self.trace.messages.append(message)

    # -- the loop -------------------------------------------------------------------------------------------------

    async def run(self) -> EvolveResult:
        """Attempt until an answer is accepted; raises `EvolveError` where none is."""
        self.spent.started = time.monotonic()
        try:
            with telemetry.trace_lane(self.index, self.target.signatures):
                revision = await self._run_attempts()
                self.trace.outcome, self.trace.revision = "accepted", revision.number
                return EvolveResult(
                    revision,
                    revision.source,
                    self.spent.attempts,
                    self.spent,
                    self.spent.compute_left(),
                    self._close_trace(),
                )
        except EvolveError:
            raise
        except asyncio.CancelledError:
            self.trace.outcome = "cancelled"
            raise
        except AgentError as error:
            raise self._record_failure(str(error)) from error
        finally:
            self._close_trace()

    def _close_trace(self) -> Trace:
        """Stop the lane's clock, once, and note its seconds in the trace."""
        if self.spent.stopped is None:
            self.spent.stopped = time.monotonic()
        self.trace.seconds = self.spent.seconds
        return self.trace

    def _record_failure(self, reason: str) -> EvolveError:
        """Note in the trace that the lane failed, and make the error that says so."""
        self.trace.outcome, self.trace.reason = "failed", reason
        names = ", ".join(repr(s.name) for s in self.target.signatures)
        tries = pluralize(self.spent.attempts, "attempt")
        return EvolveError(f"no acceptable body for {names} after {tries}: {reason}", self._close_trace())

    async def _run_attempts(self) -> Any:
        """Attempt until there is a revision; raises `EvolveError` where the attempts end first."""
        last = "nothing was asked"
        while self.spent.attempts < self.options.budget.attempts:
            self.spent.attempts += 1
            revision, last = await self._run_attempt()
            if revision is not None:
                return revision
            if self.trace.attempts[-1].decision == "give up":
                raise self._record_failure(last)
        raise self._record_failure(f"the attempts are used up; the last one: {last}")

    async def _run_attempt(self) -> tuple[Any | None, str]:
        """Ask once; gives a revision, or why there is none and the conversation goes on."""
        started, before = time.perf_counter(), len(self.trace.messages)
        prompt = self._messages[-1]["content"]
        record = Attempt(self.spent.attempts, prompt, seen=len(self._messages))
        with collect_stages() as stages:
            try:
                reply = await self._ask_model()
                record = _add_reply(record, reply)
                revision = await self._judge(reply)
                if self.finish is not None:
                    self.finish(revision)
                record = replace(record, kind="accepted", decision="accept", code=revision.source)
                return revision, ""
            except _RejectedAnswer as rejected:
                record = self._correct(record, rejected.rejection)
                return None, rejected.rejection.brief
            except TurnLimit as error:
                record = self._correct_turn_limit(record, error)
                return None, str(error)
            except ContextOverflow as error:
                record = self._restart(record, error)
                return None, f"{record.why}: {error}"
            except AgentError as error:
                record = replace(record, kind="error", decision="give up", why=str(error))
                raise
            except asyncio.CancelledError:
                record = replace(record, kind=record.kind or "cancelled", decision="give up", why="cancelled")
                raise
            finally:
                added = len(self.trace.messages) - before
                seconds = time.perf_counter() - started
                self.trace.attempts.append(replace(record, stages=dict(stages), seconds=seconds, added=added))
                telemetry.record_attempt(self.trace.attempts[-1])
                _LOG.debug("lane %d attempt %d: %s", self.index, record.number, record.kind)

    async def _ask_model(self) -> Reply:
        """Wait for this lane's turn and ask the agent, within the time that is left."""
        problem = self.spent.reached_limit
        if problem is not None:
            raise BudgetExceeded(problem)
        meter = _LaneMeter(self.spent)
        async with contextlib.AsyncExitStack() as held:
            with stage("waiting"):
                await held.enter_async_context(self.limiter.permit(self.spent.attempts))
            with stage("model"), use_meter(meter), telemetry.trace_request(self._messages) as add_reply:
                reply = await self._ask_in_time(meter)
                add_reply(reply)
        meter.close(reply)
        new = [dict(m) for m in reply.messages] or [{"role": "assistant", "content": reply.text}]
        self._messages += new
        self.trace.messages += new
        return reply

    async def _ask_in_time(self, meter: _LaneMeter) -> Reply:
        """Ask within the seconds that are left; whatever an agent raises becomes an `AgentError`."""
        try:
            async with asyncio.timeout(self.spent.compute_left().get("seconds")) as timer:
                return await self.ask(self._messages)
        except TurnLimit as error:
            meter.close(Reply("", usage=error.usage))
            raise
        except TimeoutError as error:
            if timer.expired():
                raise BudgetExceeded(f"the budget of {self.options.budget.seconds:g} seconds is used up") from None
            raise AgentError(f"the agent raised {type(error).__name__}: {error}") from error
        except AgentError:
            raise
        except Exception as error:  # An agent may be anybody's function and raise anything.
            raise AgentError(f"the agent raised {type(error).__name__}: {error}") from error

    # -- judging --------------------------------------------------------------------------------------------------

    async def _judge(self, reply: Reply) -> Any:
        """Judge a reply even where the lane is cancelled: what was paid for is registered first."""
        task = asyncio.ensure_future(self._accept(reply))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await task
            raise

    async def _accept(self, reply: Reply) -> Any:
        """Read, compile and check a reply; gives the revision, or raises why the answer is not taken."""
        with stage("read"):
            found = read_reply(reply.text, self.target.signatures, self.options.task.current, reply.finish)
        if not isinstance(found, FoundCode):
            raise _RejectedAnswer(Rejection(found.kind, found.message))
        try:
            revision = await self.compilations.revision(found.code, f"model {reply.model}".strip())
        except CandidateError as error:
            raise _RejectedAnswer(reject_error(error, found.code)) from None
        if self.options.check is not None:
            with stage("check"):
                try:
                    verdict = await ask_check(self.options.check, revision.source)
                except Exception as error:
                    self.check_error = error
                    self.trace.outcome, self.trace.reason = "failed", f"the check raised {type(error).__name__}"
                    raise
            rejection = reject_verdict(verdict, revision.source)
            if rejection is not None:
                raise _RejectedAnswer(rejection)
        return revision

    # -- going on after a rejection -------------------------------------------------------------------------------

    def _correct(self, record: Attempt, rejection: Rejection) -> Attempt:
        """Tell the model what was wrong; begin anew where it gives code again that was refused before."""
        record = replace(record, kind=rejection.kind, diagnostics=rejection.message, code=rejection.code)
        key = " ".join(rejection.code.split())
        self._lessons.append(rejection.brief)
        if key and key in self._refused:
            self._start_conversation(write_fresh_start(self._base, self._lessons, is_repeated=True))
            why = "the same code again: a new conversation, which does not show it"
            return replace(record, kind="repeated", decision="reset", why=why)
        self._refused.add(key)
        self._say(write_correction(rejection))
        return replace(record, decision="correct", why=rejection.brief)

    def _correct_turn_limit(self, record: Attempt, error: TurnLimit) -> Attempt:
        """Tell a model that has only called tools to answer now."""
        self._messages += [dict(m) for m in error.messages]
        self.trace.messages += [dict(m) for m in error.messages]
        self._say(write_correction(Rejection("turn_limit", str(error))))
        return replace(record, kind="turn_limit", decision="correct", why=str(error), usage=error.usage)

    def _restart(self, record: Attempt, error: ContextOverflow) -> Attempt:
        """Begin anew with the first prompt; give up where that alone is too long for the model."""
        record = replace(record, kind="context_overflow", diagnostics=str(error))
        if len(self._messages) <= len(("system", "user")):
            return replace(record, decision="give up", why="the prompt alone is too long for the model")
        if self._resets >= MAX_CONTEXT_RESETS:
            return replace(record, decision="give up", why=f"too long for the model {self._resets + 1} times")
        self._resets += 1
        self._start_conversation(write_fresh_start(self._base, self._lessons))
        return replace(record, decision="reset", why="too long for the model: a new conversation from the first prompt")


@dataclass(slots=True)
class _LaneMeter:
    """A lane's meter during one run; it counts one request for an agent that counts none itself."""

    spent: Spending
    is_used: bool = False

    def before_request(self) -> None:
        """Count a request, or raise `BudgetExceeded`."""
        self.is_used = True
        self.spent.before_request()

    def after_request(self, usage: Usage | None, model: str = "") -> None:
        """Count what a request has used."""
        self.spent.after_request(usage, model)

    def close(self, reply: Reply) -> None:
        """End the run: count the reply where the agent has counted nothing."""
        if not self.is_used:
            self.spent.requests += reply.requests
            self.spent.after_request(reply.usage, reply.model)


def _add_reply(record: Attempt, reply: Reply) -> Attempt:
    """Note in an attempt's record what the agent answered."""
    return replace(
        record,
        reply=reply.text,
        model=reply.model,
        finish=reply.finish,
        usage=reply.usage,
        requests=reply.requests,
        retries=reply.retries,
    )
