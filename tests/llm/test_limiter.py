"""The limiter of requests: how many are in flight, and who goes next."""

import asyncio
import re

import pytest

import symbiont_jit as sj
from symbiont_jit import UsageError
from tests.llm.answers import GOOD, UNTYPED


def test_the_requests_in_flight_are_bounded_and_the_bound_can_change(kernel):
    """Never more than the limit at a time; raising it while lanes run lets more in."""
    now, peak, limiter = 0, [], sj.RateLimiter(2)

    async def ask(messages):
        nonlocal now
        now += 1
        peak.append(now)
        await asyncio.sleep(0.03)
        if len(peak) == 6:
            limiter.max_in_flight = 5
        now -= 1
        return GOOD

    kernel.evolve_batch(ask, ["x"] * 24, max_in_flight=limiter)
    assert max(peak[:6]) == 2
    assert max(peak) == 5
    assert limiter.in_flight == 0


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "2"])
def test_a_limit_is_a_number_of_requests(limit):
    """What cannot bound the requests in flight is named, when the limiter is made and when it is changed."""
    text = f"max_in_flight, the limit of requests at a time, is a whole number from 1 on, not {limit!r}"
    with pytest.raises(UsageError, match=re.escape(text)):
        sj.RateLimiter(limit)
    limiter = sj.RateLimiter(3)
    with pytest.raises(UsageError, match=re.escape(text)):
        limiter.max_in_flight = limit
    assert limiter.max_in_flight == 3


@pytest.mark.slow
def test_who_has_tried_most_goes_first(kernel):
    """A waiting lane with more attempts behind it is admitted before fresh ones."""
    order = []

    async def ask(messages):
        prompt, tries = messages[1]["content"].rstrip()[-1], len(messages)
        order.append((prompt, tries))
        await asyncio.sleep(0.1)
        return UNTYPED if prompt == "a" and tries == 2 else GOOD

    kernel.evolve_batch(ask, list("abcdef"), max_in_flight=1)
    place = order.index(("a", 4))
    assert order[0] == ("a", 2)
    assert place <= 2
