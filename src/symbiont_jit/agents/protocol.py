"""What an agent is: an async function of a conversation that gives a reply.

In: chat messages, as the chat completions protocol writes them. Out: a `Reply`, or an `AgentError`. One call is one
whole run: turns with tools and retries happen inside. Nothing in here knows a network.
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

#: One message: `role` is system, user, assistant or tool; `content` is text.
Message = Mapping[str, Any]
Ask = Callable[[Sequence[Message]], Awaitable["Reply"]]


class ContextOverflow(AgentError):  # noqa: N818 - named after what happened
    """The conversation is longer than the model can read."""


class RequestFailed(AgentError):  # noqa: N818 - named after what happened
    """A server could not be reached or did not answer as asked; `status` is HTTP's, 0 where no answer came."""

    def __init__(self, message: str, status: int = 0, retries: Sequence[Retry] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.retries = tuple(retries)


class TurnLimit(AgentError):  # noqa: N818 - named after what happened
    """The model called tools until its turns were used up, and gave no answer. `messages` is what it did."""

    def __init__(self, message: str, messages: Sequence[Message] = (), usage: Usage | None = None) -> None:
        super().__init__(message)
        self.messages = tuple(messages)
        self.usage = usage or Usage()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: `input` includes `cached`, `output` includes `reasoning`; `is_known` is false where no server said."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    is_known: bool = True

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.is_known and other.is_known,
        )


@dataclass(frozen=True, slots=True)
class Retry:
    """A request that failed for a reason that passes, and how long was waited after it."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a run: its text; `messages` is everything that is new in the conversation, the answer last.

    `finish` is why the model stopped (`stop`, `length`, ...), `requests` counts requests to a server, failed ones too.
    """

    text: str
    messages: tuple[Message, ...] = ()
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    finish: str = "stop"
    requests: int = 1
    retries: tuple[Retry, ...] = ()


class Meter(Protocol):
    """Counts what is spent, and says when it is enough."""

    def before_request(self) -> None:
        """Raise `BudgetExceeded` where nothing more may be spent."""

    def after_request(self, usage: Usage | None, model: str = "") -> None:
        """A request was answered; None where it failed or the server did not say."""


_METER: Final[ContextVar[Meter | None]] = ContextVar("symbiont_jit meter", default=None)


def current_meter() -> Meter | None:
    """The meter of the run that is under way in this task, for agents that send requests."""
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
    """An agent as an async function of messages that gives a `Reply`; a plain text becomes one.

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
