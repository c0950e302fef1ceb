"""How many requests may be in flight at a time, and which waiting one goes next.

In: a limit, which may be changed at any time and from any thread. Out: permits. The lane with the most attempts goes
first, because it is nearest to its end and its request is the cheapest for a server's cache; among equals the one that
has waited longest goes first.
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

#: Requests in flight at a time, unless somebody says otherwise.
MAX_IN_FLIGHT: Final = 32


class RateLimiter:
    """A limit on the requests that are in flight at a time, over all lanes that share it.

    It bounds concurrency and not requests per second: a server's own limits of rate are honoured by the agent, which
    waits as long as `Retry-After` says.

    Args:
        max_in_flight: The most requests in flight at a time, from 1 on.

    Raises:
        UsageError: The limit is not a whole number from 1 on.

    Example:
        >>> limiter = sj.RateLimiter(8)
        >>> lanes = kernel.evolve_stream(agent, prompts, max_in_flight=limiter)
        >>> limiter.max_in_flight = 2
    """

    def __init__(self, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self._max_in_flight = _require_limit(max_in_flight)
        self._running = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def max_in_flight(self) -> int:
        """The most requests in flight; any thread may change it, and a lower limit holds once enough are done."""
        return self._max_in_flight

    @max_in_flight.setter
    def max_in_flight(self, limit: int) -> None:
        self._max_in_flight = _require_limit(limit)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._admit)

    @property
    def in_flight(self) -> int:
        """How many requests are in flight now."""
        return self._running

    @contextlib.asynccontextmanager
    async def permit(self, priority: int) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the length of an `async with`.

        Args:
            priority: The waiting request with the highest number goes first.

        Yields:
            Nothing; the permit is given back at the end of the block.
        """
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
            if not turn.done():  # A waiting request may have been cancelled meanwhile.
                self._running += 1
                turn.set_result(None)


def _require_limit(limit: Any) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise UsageError(f"max_in_flight, the limit of requests at a time, is a whole number from 1 on, not {limit!r}")
    return limit
