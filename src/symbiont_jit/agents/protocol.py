"""What an agent is: an async function of a conversation that gives a reply.

In: chat messages, as the chat completions protocol writes them. Out: a `Reply`, or an `AgentError`. One call is one
whole run: turns with tools and retries happen inside of it. Nothing in this module knows a network.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from symbiont_jit.errors import AgentError, UsageError

__all__ = [
    "Ask",
    "ContextOverflow",
    "Meter",
    "Reply",
    "RequestFailed",
    "Retry",
    "TurnLimit",
    "Usage",
    "as_agent",
    "current_meter",
    "use_meter",
]

#: One message of a conversation: `role` is system, user, assistant or tool; `content` is text.
Message = Mapping[str, Any]
Ask = Callable[[Sequence[Message]], Awaitable["Reply"]]


class ContextOverflow(AgentError):  # noqa: N818  it is named after what happened
    """The conversation is longer than the model can read."""


class RequestFailed(AgentError):  # noqa: N818  it is named after what happened
    """A server could not be reached or did not answer as asked.

    Attributes:
        status: The status of HTTP; 0 where no answer came.
        retries: The requests that failed before the last one, each with its wait in seconds.
    """

    def __init__(self, message: str, status: int = 0, retries: Sequence[Retry] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.retries = tuple(retries)


class TurnLimit(AgentError):  # noqa: N818  it is named after what happened
    """The model called tools until its turns were used up, and gave no answer.

    Attributes:
        messages: What the model said and what its calls gave.
        usage: The tokens of all turns.
    """

    def __init__(self, message: str, messages: Sequence[Message] = (), usage: Usage | None = None) -> None:
        super().__init__(message)
        self.messages = tuple(messages)
        self.usage = usage or Usage()


@dataclass(frozen=True, slots=True)
class Usage:
    """Numbers of tokens.

    Attributes:
        input: Tokens that the model read, cached ones included.
        cached: Tokens that the server had in its cache.
        output: Tokens that the model wrote, its reasoning included.
        reasoning: Tokens of the model's reasoning.
        is_known: False where a server did not say; the numbers then count what others said.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    is_known: bool = True

    def __add__(self, other: Usage) -> Usage:
        """Add two usages; the sum is known where both are."""
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.is_known and other.is_known,
        )


@dataclass(frozen=True, slots=True)
class Retry:
    """A request that failed for a reason that passes; `seconds` is how long was waited after it."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a run.

    Attributes:
        text: The answer.
        messages: Everything that is new in the conversation, the answer last.
        usage: The tokens of all requests of the run.
        model: The name of the model that answered.
        finish: Why the model stopped, as its server says it: `stop`, `length` and others.
        requests: How many requests were sent, failed ones included.
        retries: The requests that failed and were sent again.
    """

    text: str
    messages: tuple[Message, ...] = ()
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    finish: str = "stop"
    requests: int = 1
    retries: tuple[Retry, ...] = ()


class Meter(Protocol):
    """Something that counts what a run spends, and stops the run when it is enough."""

    def before_request(self) -> None:
        """Count one request; raises `BudgetExceeded` where nothing more may be spent."""

    def after_request(self, usage: Usage | None, model: str = "") -> None:
        """Count what a request has used; `usage` is None where it failed or the server did not say."""


_METER: Final[ContextVar[Meter | None]] = ContextVar("symbiont_jit meter", default=None)


def current_meter() -> Meter | None:
    """Find the meter of the run that is under way in this task, for agents that send requests."""
    return _METER.get()


@contextlib.contextmanager
def use_meter(meter: Meter) -> Iterator[None]:
    """Let agents in this task count on a meter."""
    token = _METER.set(meter)
    try:
        yield
    finally:
        _METER.reset(token)


def as_agent(agent: Any) -> Ask:
    """Turn an agent into an async function of messages that gives a `Reply`; a plain text becomes one.

    Raises `UsageError` for what cannot be called.
    """
    if not callable(agent) or isinstance(agent, type):
        raise UsageError(f"an agent is sj.Agent(...) or an async function of the messages, not {agent!r:.80}")

    async def ask(messages: Sequence[Message]) -> Reply:
        answer = agent(list(messages))
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Reply):
            return answer
        if isinstance(answer, str):
            return Reply(answer, ({"role": "assistant", "content": answer},), Usage(is_known=False))
        raise AgentError(f"the agent gave {type(answer).__name__} and not a text or a Reply")

    return ask
