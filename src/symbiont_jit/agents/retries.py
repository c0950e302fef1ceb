"""Retries: the one place where a request is sent again.

In: a request as an async function, which gives an answer or a `RequestFailure`. Out: the last of these, with all waits.
Only failures that pass by themselves are tried again; how often is bounded, and none counts as a candidate's attempt.
"""

from __future__ import annotations

import asyncio
import email.utils
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from symbiont_jit.agents.failures import RequestFailure
from symbiont_jit.agents.protocol import Retry
from symbiont_jit.errors import UsageError

__all__ = ["RetryPolicy", "read_retry_after", "send_with_retries"]

A = TypeVar("A")

# Waits differ from run to run on purpose; no result that a seed reproduces depends on them.
_CHANCE: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The rule for how often a request is sent again, and how long is waited before.

    Wait n, counted from 0, is `base * 2**n` seconds, at most `cap`, less a random part. A server's Retry-After is
    honoured, with up to `jitter * base` seconds on top, so that lanes do not come back together.

    Args:
        retries: The most requests after the first one.
        base: Seconds of the first wait.
        cap: Seconds of the longest wait.
        jitter: The random part of a wait, from 0 to 1.
        patience: The most seconds that a server may ask to wait; more is a failure.

    Raises:
        UsageError: A number is below 0, or the jitter above 1.
    """

    retries: int = 5
    base: float = 0.5
    cap: float = 30.0
    jitter: float = 0.25
    patience: float = 120.0

    def __post_init__(self) -> None:
        if (
            self.retries < 0
            or not 0 <= self.jitter <= 1
            or not all(s >= 0 for s in (self.base, self.cap, self.patience))
        ):
            raise UsageError(f"{self} has a number below 0, or a jitter above 1")

    def seconds(self, taken: int, asked: float | None, chance: float) -> float | None:
        """Compute the wait after `taken` retries, for a `chance` from 0 to 1; None is to give up."""
        if taken >= self.retries or (asked is not None and asked > self.patience):
            return None
        if asked is not None:
            return asked + chance * self.jitter * self.base
        # 2**60 takes every base beyond the cap; much larger powers do not fit a float.
        return min(self.cap, self.base * 2.0 ** min(taken, 60)) * (1 - chance * self.jitter)


async def send_with_retries(
    send: Callable[[], Awaitable[A | RequestFailure]], policy: RetryPolicy
) -> tuple[A | RequestFailure, list[Retry]]:
    """Send a request until it is answered, its failure is one that stays, or the policy's bound is reached."""
    retries: list[Retry] = []
    while True:
        outcome = await send()
        if not isinstance(outcome, RequestFailure) or not outcome.is_passing:
            return outcome, retries
        wait = policy.seconds(len(retries), outcome.retry_after, _CHANCE.random())
        if wait is None or (outcome.most_retries is not None and len(retries) >= outcome.most_retries):
            return outcome, retries
        retries.append(Retry(outcome.reason, wait))
        await asyncio.sleep(wait)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds a server asks to wait: milliseconds (OpenAI), seconds or a date (RFC 9110, 10.2.3)."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _parse_number(headers.get(name, ""))
        if seconds is not None:
            return max(0.0, seconds * unit)
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    if date is None:
        return None
    try:
        return max(0.0, email.utils.mktime_tz(date) - time.time())
    except (ValueError, OverflowError):
        return None


def _parse_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
