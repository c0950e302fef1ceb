"""How many requests may be under way at a time, and who goes next.

In: a limit, which may be changed at any time and from any thread. Out: permits, to whoever has made most attempts
first: that lane is nearest to its end, and its request is the cheapest for a server's cache. Equals go in the order
they came.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncIterator
from typing import Any, Final

from symbiont_jit.errors import UsageError

__all__ = ["MAX_IN_FLIGHT", "RateLimiter"]

MAX_IN_FLIGHT: Final = 32


class RateLimiter:
    """Admits requests; `limit` is how many at a time."""

    def __init__(self, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self._max_in_flight = _require_limit(max_in_flight)
        self._running = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def max_in_flight(self) -> int:
        """How many requests may be under way; a lower limit holds once enough of them are done."""
        return self._max_in_flight

    @max_in_flight.setter
    def max_in_flight(self, limit: int) -> None:
        self._max_in_flight = _require_limit(limit)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._admit)

    @property
    def in_flight(self) -> int:
        """How many are under way."""
        return self._running

    @contextlib.asynccontextmanager
    async def permit(self, priority: int) -> AsyncIterator[None]:
        """Wait for a turn; the higher priority goes first."""
        loop = self._loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._waiting, (-priority, next(self._order), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._running < self._max_in_flight:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # cancelled meanwhile
                self._running += 1
                turn.set_result(None)


def _require_limit(limit: Any) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise UsageError(f"the limit of requests at a time is a number from 1 on, not {limit!r}")
    return limit
