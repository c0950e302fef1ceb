"""Several agents as one: each run goes to one of them, drawn by weight.

In: pairs of an agent and a weight, and a seed. Out: an agent. What is drawn depends on the seed, on the conversation
and on how often that conversation was asked before, not on which lane asks first: a run with a seed can be repeated.
"""

from __future__ import annotations

import collections
import hashlib
import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from symbiont_jit.agents.conversation import digest_of
from symbiont_jit.agents.protocol import Ask, Message, Reply, as_agent
from symbiont_jit.errors import UsageError

__all__ = ["Ensemble"]

_WORD: Final = 8


class Ensemble:
    """Several agents as one: each run goes to one of them, drawn by weight.

    The reply's `model` says which member gave it.

    Args:
        members: Pairs of an agent and its weight; a member with twice the weight is drawn twice as often.
        seed: The seed of the drawing: equal seeds draw equal members for equal conversations.

    Raises:
        UsageError: There are no members, or a weight is not a finite number above 0.

    Example:
        >>> agent = sj.Ensemble([(fast, 4), (strong, 1)], seed=0)
    """

    def __init__(self, members: Sequence[tuple[Any, float]], seed: int = 0) -> None:
        if not members or not all(math.isfinite(weight) and weight > 0 for _, weight in members):
            raise UsageError("an ensemble is a list of (agent, weight) with weights above 0")
        self.seed = seed
        self.members = tuple((agent, float(weight)) for agent, weight in members)
        self._agents: list[Ask] = [as_agent(agent) for agent, _ in members]
        self._times_asked: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()

    async def __call__(self, messages: Sequence[Message]) -> Reply:
        """Run a conversation with the member that is drawn for it; raises what that member raises."""
        index = self._draw(digest_of(messages))
        reply = await self._agents[index](messages)
        return reply if reply.model else replace(reply, model=self._name_member(index))

    def _draw(self, digest: str) -> int:
        """Draw a member for a conversation by a hash, which no other lane influences."""
        with self._lock:
            nth = self._times_asked[digest]
            self._times_asked[digest] += 1
        word = hashlib.sha256(f"{self.seed}/{nth}/{digest}".encode()).digest()[:_WORD]
        left = int.from_bytes(word, "big") / 256.0**_WORD * sum(weight for _, weight in self.members)
        for index, (_, weight) in enumerate(self.members):
            left -= weight
            if left < 0:
                return index
        return len(self.members) - 1

    def _name_member(self, index: int) -> str:
        agent = self.members[index][0]
        return str(getattr(agent, "model", "") or getattr(agent, "__name__", "") or f"{type(agent).__name__} {index}")

    def __repr__(self) -> str:
        return f"Ensemble({list(self.members)!r}, seed={self.seed})"
