"""The repair loop: ask, read, compile, check; what fails goes back to the model, until it is right or the budget ends.

In: something that compiles (a kernel or a group), an agent, a prompt. Out: an `EvolveResult`, or `EvolveError` with the
same trace. Every call begins with a fresh conversation. Nothing in here knows clang, Numba or a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from symbiont_jit.agents.protocol import (
    Ask,
    ContextOverflow,
    Reply,
    TurnLimit,
    Usage,
    metered,
)
from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import AgentError, CandidateError, EvolveError, Stage, UsageError, counted, render_diagnostics
from symbiont_jit.llm import telemetry
from symbiont_jit.llm.budget import Budget, BudgetExceeded, Spent
from symbiont_jit.llm.limiter import Gate
from symbiont_jit.llm.prompts import Failure, correction, fresh_start, system_prompt, task_prompt
from symbiont_jit.llm.replies.read import Found, read_reply
from symbiont_jit.llm.trace import Attempt, Trace
from symbiont_jit.stages import stage, timed

__all__ = ["Check", "Compiled", "EvolveResult", "Lane", "Options"]

_LOG: Final = logging.getLogger("symbiont_jit.llm")

#: How often a lane may begin anew because the conversation has become too long for the model.
MAX_CONTEXT_RESETS: Final = 3

Check = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Options:
    """What all lanes of a call have in common."""

    profile: str
    budget: Budget = field(default_factory=Budget)
    check: Check | None = None
    current: str | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class EvolveResult:
    """A model's accepted answer.

    `revision` is its handle; `attempts` how many answers it took; `left` what is left of the budget's limits by name;
    `trace` everything that happened.
    """

    revision: Any
    source: str
    attempts: int
    spent: Spent
    left: dict[str, float]
    trace: Trace

    @property
    def usage(self) -> Usage:
        """Tokens of all attempts."""
        return self.spent.usage

    def __str__(self) -> str:
        tokens = f"{self.usage.input + self.usage.output:,} tokens" if self.usage.is_known else "unknown tokens"
        return f"{self.revision!r} after {counted(self.attempts, 'attempt')}, {tokens}, {self.trace.seconds:.2f} s"


@dataclass(slots=True)
class Compiled:
    """Candidates that are being compiled, by canonical text: the same one is compiled once, whoever asks."""

    workshop: CompileTarget
    profile: str
    count: int = 0
    _under_way: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    async def revision(self, source: str, origin: str) -> Any:
        """The revision of a candidate; raises `CandidateError`."""
        canonical = await asyncio.to_thread(self.workshop.canonical, source)
        task = self._under_way.get(canonical.text)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self._register, canonical, origin))
            self._under_way[canonical.text] = task
            self.count += 1
        return await asyncio.shield(task)

    def _register(self, canonical: Any, origin: str) -> Any:
        return self.workshop.register(canonical, self.workshop.build(canonical, self.profile), self.profile, origin)


class _Rejected(Exception):  # noqa: N818  an answer, not an error of anybody's
    """An answer that was not taken."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.kind)
        self.failure = failure


@dataclass(slots=True)
class Lane:
    """One prompt on its way to a revision, with a conversation and a budget of its own; `finish` gets the revision."""

    workshop: CompileTarget
    ask: Ask
    task: str
    options: Options
    compiled: Compiled
    gate: Gate
    index: int = 0
    finish: Callable[[Any], Any] | None = None
    spent: Spent = field(init=False)
    trace: Trace = field(init=False)
    _base: str = field(init=False)
    _messages: list[dict[str, Any]] = field(init=False)
    _refused: set[str] = field(default_factory=set)
    _resets: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.task, str) or not self.task.strip():
            raise UsageError(f"a prompt is text that says what is wanted, not {self.task!r:.60}")
        system = system_prompt() if self.options.system is None else self.options.system
        self._base = task_prompt(self.workshop.signatures, self.task, self.options.current)
        self.spent = Spent(self.options.budget)
        self.trace = Trace(self.index, self.task, system)
        self._start(self._base)

    def _start(self, prompt: str) -> None:
        """A fresh conversation."""
        self._messages = [{"role": "system", "content": self.trace.system}]
        self._say(prompt)

    def _say(self, prompt: str) -> None:
        message = {"role": "user", "content": prompt}
        self._messages.append(message)
        self.trace.messages.append(message)

    # -- the loop -------------------------------------------------------------------------------------------------

    async def run(self) -> EvolveResult:
        """Attempts until one is accepted; raises `EvolveError` where none is."""
        self.spent.started = time.monotonic()
        try:
            with telemetry.lane(self.index, self.workshop.signatures):
                revision = await self._attempts()
                self.trace.outcome, self.trace.revision = "accepted", revision.number
                return EvolveResult(
                    revision, revision.source, self.spent.attempts, self.spent, self.spent.left(), self._closed()
                )
        except EvolveError:
            raise
        except asyncio.CancelledError:
            self.trace.outcome = "cancelled"
            raise
        except AgentError as error:
            raise self._failed(str(error)) from error
        finally:
            self._closed()

    def _closed(self) -> Trace:
        if self.spent.stopped is None:
            self.spent.stopped = time.monotonic()
        self.trace.seconds = self.spent.seconds
        return self.trace

    def _failed(self, reason: str) -> EvolveError:
        self.trace.outcome, self.trace.reason = "failed", reason
        names = ", ".join(repr(s.name) for s in self.workshop.signatures)
        tries = counted(self.spent.attempts, "attempt")
        return EvolveError(f"no acceptable body for {names} after {tries}: {reason}", self._closed())

    async def _attempts(self) -> Any:
        last = "nothing was asked"
        while self.spent.attempts < self.options.budget.attempts:
            self.spent.attempts += 1
            revision, last = await self._attempt()
            if revision is not None:
                return revision
            if self.trace.attempts[-1].decision == "give up":
                raise self._failed(last)
        raise self._failed(f"the attempts are used up; the last one: {last}")

    async def _attempt(self) -> tuple[Any | None, str]:
        """One request, and what became of it: a revision, or why there is none and the conversation goes on."""
        started, before = time.perf_counter(), len(self.trace.messages)
        prompt = self._messages[-1]["content"]
        record = Attempt(self.spent.attempts, prompt, seen=len(self._messages))
        with timed() as stages:
            try:
                reply = await self._asked()
                record = _with_reply(record, reply)
                revision = await self._judged(reply)
                if self.finish is not None:
                    self.finish(revision)
                record = replace(record, kind="accepted", decision="accept", code=revision.source)
                return revision, ""
            except _Rejected as rejected:
                record = self._corrected(record, rejected.failure)
                return None, rejected.failure.brief
            except TurnLimit as error:
                record = self._out_of_turns(record, error)
                return None, str(error)
            except ContextOverflow as error:
                record = self._overflown(record, error)
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
                telemetry.attempt(self.trace.attempts[-1])
                _LOG.debug("lane %d attempt %d: %s", self.index, record.number, record.kind)

    async def _asked(self) -> Reply:
        """The agent's reply, when it is this lane's turn, within the time that is left."""
        problem = self.spent.exhausted
        if problem is not None:
            raise BudgetExceeded(problem)
        meter = _Watched(self.spent)
        async with contextlib.AsyncExitStack() as held:
            with stage("waiting"):
                await held.enter_async_context(self.gate.permit(self.spent.attempts))
            with stage("model"), metered(meter), telemetry.request(self._messages) as replied:
                reply = await self._within_time(meter)
                replied(reply)
        meter.close(reply)
        new = [dict(m) for m in reply.messages] or [{"role": "assistant", "content": reply.text}]
        self._messages += new
        self.trace.messages += new
        return reply

    async def _within_time(self, meter: _Watched) -> Reply:
        try:
            async with asyncio.timeout(self.spent.left().get("seconds")) as timer:
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
        except Exception as error:  # the agent may be anybody's function
            raise AgentError(f"the agent raised {type(error).__name__}: {error}") from error

    # -- judging --------------------------------------------------------------------------------------------------

    async def _judged(self, reply: Reply) -> Any:
        """The revision of what was paid for: a cancellation waits until it is registered."""
        task = asyncio.ensure_future(self._accepted(reply))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await task
            raise

    async def _accepted(self, reply: Reply) -> Any:
        with stage("read"):
            found = read_reply(reply.text, self.workshop.signatures, self.options.current, reply.finish)
        if not isinstance(found, Found):
            raise _Rejected(Failure(found.kind, found.message))
        try:
            revision = await self.compiled.revision(found.code, f"model {reply.model}".strip())
        except CandidateError as error:
            raise _Rejected(_refusal(error, found.code)) from None
        if self.options.check is not None:
            with stage("check"):
                failure = await asyncio.to_thread(_checked, self.options.check, revision.source)
            if failure is not None:
                raise _Rejected(failure)
        return revision

    # -- what is done about a failure -----------------------------------------------------------------------------

    def _corrected(self, record: Attempt, failure: Failure) -> Attempt:
        record = replace(record, kind=failure.kind, diagnostics=failure.message, code=failure.code)
        key = " ".join(failure.code.split())
        if key and key in self._refused:
            self._start(fresh_start(self._base, failure))
            why = "the same code again: a new conversation, which does not show it"
            return replace(record, kind="repeated", decision="reset", why=why)
        self._refused.add(key)
        self._say(correction(failure))
        return replace(record, decision="correct", why=failure.brief)

    def _out_of_turns(self, record: Attempt, error: TurnLimit) -> Attempt:
        self._messages += [dict(m) for m in error.messages]
        self.trace.messages += [dict(m) for m in error.messages]
        self._say(correction(Failure("turn_limit", str(error))))
        return replace(record, kind="turn_limit", decision="correct", why=str(error), usage=error.usage)

    def _overflown(self, record: Attempt, error: ContextOverflow) -> Attempt:
        """Begin anew with the first prompt; where that alone is too long, only the caller can help."""
        record = replace(record, kind="context_overflow", diagnostics=str(error))
        if len(self._messages) <= len(("system", "user")):
            return replace(record, decision="give up", why="the prompt alone is too long for the model")
        if self._resets >= MAX_CONTEXT_RESETS:
            return replace(record, decision="give up", why=f"too long for the model {self._resets + 1} times")
        self._resets += 1
        self._start(self._base)
        return replace(record, decision="reset", why="too long for the model: a new conversation from the first prompt")


@dataclass(slots=True)
class _Watched:
    """A lane's meter during one run: an agent that does not count its requests has made one."""

    spent: Spent
    is_used: bool = False

    def before_request(self) -> None:
        """Count a request, or raise `BudgetExceeded`."""
        self.is_used = True
        self.spent.before_request()

    def after_request(self, usage: Usage | None, model: str = "") -> None:
        """Count what it used."""
        self.spent.after_request(usage, model)

    def close(self, reply: Reply) -> None:
        """The run is over."""
        if not self.is_used:
            self.spent.requests += reply.requests
            self.spent.after_request(reply.usage, reply.model)


def _with_reply(record: Attempt, reply: Reply) -> Attempt:
    return replace(
        record,
        reply=reply.text,
        model=reply.model,
        finish=reply.finish,
        usage=reply.usage,
        requests=reply.requests,
        retries=reply.retries,
    )


#: What a failed candidate is, by the stage that found it; a wrong signature is told apart by its rule.
_KIND_OF_STAGE: Final = {
    Stage.READ: "parse",
    Stage.PREPROCESS: "parse",
    Stage.PARSE: "parse",
    Stage.CHECK: "forbidden",
    Stage.LOWER: "compile",
    Stage.LINK: "compile",
}

#: The same of an evaluation, by the name of its status.
_KIND_OF_STATUS: Final = {
    "NO_CODE": "no_code",
    "UNPARSED": "parse",
    "REJECTED": "forbidden",
    "UNLOWERED": "compile",
    "PANICKED": "panic",
    "CRASHED": "crash",
    "TIMED_OUT": "timeout",
    "WRONG": "wrong",
}


def _refusal(error: CandidateError, code: str) -> Failure:
    first = error.diagnostics[0]
    kind = "signature" if first.rule == "signature" else _KIND_OF_STAGE[error.stage]
    return Failure(kind, render_diagnostics(error.diagnostics, error.source), code, first.message)


def _checked(check: Check, source: str) -> Failure | None:
    """What a check says of a candidate: an evaluation, a text that says what is wrong, False, or nothing."""
    try:
        said = check(source)
    except Exception as error:
        said = f"the check raised {type(error).__name__}: {error}"
    if said is None or said is True:
        return None
    status = getattr(getattr(said, "status", None), "name", None)
    if status == "VALID":
        return None
    if status in _KIND_OF_STATUS:
        message = render_diagnostics(said.diagnostics, said.source)
        finding = said.diagnostics[0].message if said.diagnostics else status
        return Failure(_KIND_OF_STATUS[status], message, source, finding)
    return Failure("wrong", said if isinstance(said, str) else f"the check said {said!r}", source)
