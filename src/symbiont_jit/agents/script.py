"""An agent whose replies are given, for tests and for examples that run offline.

In: a list of replies. Out: the next one at each call. The meter counts it as it counts a server's answer.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from symbiont_jit.agents.protocol import Message, Reply, TurnLimit, Usage, current_meter
from symbiont_jit.errors import AgentError, UsageError

__all__ = ["ScriptedAgent"]

Scripted = str | Reply | BaseException
Script = Scripted | Callable[[list[Message]], Scripted | Awaitable[Scripted]]


class ScriptedAgent:
    """An agent that gives the replies of a script, one at each call.

    Args:
        replies: Texts, `Reply` objects, exceptions, which are raised, or functions of the messages that give one of
            these.
        loop: Whether the script begins again at its end; otherwise a call too many raises `AgentError`.
        model: The name of the model that replies bear.

    Attributes:
        calls: The messages of each call so far.

    Raises:
        UsageError: The script is a text, or empty although it is to loop.

    Example:
        >>> agent = sj.testing.ScriptedAgent(["I cannot.", "double half(double x) { return x / 2; }"])
        >>> half.evolve(agent, "Halve it.").attempts
        2
    """

    def __init__(self, replies: Sequence[Script], *, loop: bool = False, model: str = "scripted") -> None:
        if isinstance(replies, str) or (loop and not replies):
            raise UsageError("a script is a list of replies, with at least one if it is to loop")
        self.replies = tuple(replies)
        self.loop = loop
        self.model = model
        self.calls: list[list[dict[str, Any]]] = []
        self._lock = threading.Lock()

    async def __call__(self, messages: Sequence[Message]) -> Reply:
        """Give the next reply, or raise it where it is an exception."""
        meter = current_meter()
        if meter is not None:
            meter.before_request()
        usage, model = Usage(is_known=False), self.model
        try:
            reply = await self._resolve([dict(message) for message in messages])
            usage, model = reply.usage, reply.model or model
            return reply
        except TurnLimit as limit:
            usage = limit.usage
            raise
        finally:
            if meter is not None:
                meter.after_request(usage if usage.is_known else None, model)

    async def _resolve(self, messages: list[dict[str, Any]]) -> Reply:
        item: Any = self._take_next(messages)
        if callable(item) and not isinstance(item, Reply | BaseException):
            item = item(messages)
            item = await item if inspect.isawaitable(item) else item
        if isinstance(item, BaseException):
            raise item
        if isinstance(item, Reply):
            return item
        return Reply(str(item), ({"role": "assistant", "content": str(item)},), Usage(is_known=False), self.model)

    def _take_next(self, messages: list[dict[str, Any]]) -> Script:
        with self._lock:
            nth = len(self.calls)
            self.calls.append(messages)
        if nth >= len(self.replies) and not self.loop:
            raise AgentError(f"the script has no reply left after {len(self.replies)}")
        return self.replies[nth % len(self.replies)]

    def __repr__(self) -> str:
        return f"ScriptedAgent({len(self.replies)} replies, {len(self.calls)} calls)"
