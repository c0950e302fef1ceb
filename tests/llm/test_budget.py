"""Budgets: what ends a lane, and what is left."""

import asyncio
from pathlib import Path

import pytest

from symbiont_jit import Budget, EvolveError, Price, Reply, Usage, UsageError
from symbiont_jit.llm.budget import PRICES, PRICES_AS_OF, PRICES_WRITTEN
from symbiont_jit.testing import ScriptedAgent
from tests.llm.answers import GOOD, fenced


def spending(tokens, model="gpt-4o-mini"):
    """An agent that never succeeds and says what it used."""
    count = iter(range(1000))

    async def ask(messages):
        text = fenced(f"double f(double x, int64_t n) {{ return y{next(count)}; }}")
        return Reply(text, usage=Usage(tokens, tokens // 2, tokens, tokens // 4), model=model)

    return ask


@pytest.mark.parametrize(
    ("budget", "attempts", "words"),
    [
        (Budget(requests=2), 2, "2 requests is used up"),
        (Budget(tokens=450), 3, "450 tokens"),
        (Budget(input_tokens=150), 2, "150 input tokens"),
        (Budget(cached_tokens=60), 2, "60 cached tokens"),
        (Budget(output_tokens=100), 1, "100 output tokens"),
        (Budget(reasoning_tokens=75), 3, "75 reasoning tokens"),
        (Budget(money=0.0001), 2, "0.0001 money"),
        (Budget(money=1e-9, prices={"gpt-4o-mini": Price(1, 1)}), 1, "1e-09 money"),
        (Budget(attempts=4), 4, "the attempts are used up"),
    ],
)
def test_a_budget_ends_a_lane_before_the_next_request(kernel, budget, attempts, words):
    """Each limit stops the request after the one that reached it, and is named."""
    with pytest.raises(EvolveError, match=words) as e:
        kernel.evolve(spending(100), "Multiply.", budget=budget)
    assert len([a for a in e.value.trace.attempts if a.requests]) == attempts


def test_an_unknown_price_is_said(kernel):
    """Where money is limited and cannot be counted, the lane stops after one request and says what to give."""
    with pytest.raises(EvolveError, match=r"the price of the model 'mystery' is unknown.*prices"):
        kernel.evolve(spending(100, "mystery"), "Multiply.", budget=Budget(money=1.0))
    result = kernel.evolve(ScriptedAgent([Reply(GOOD, usage=Usage(5, 0, 5), model="mystery")]), "Multiply.")
    assert result.spent.unpriced == ("mystery",)


def test_what_is_left_is_in_the_result(kernel):
    """Limits that were given, less what was used."""
    reply = Reply(GOOD, usage=Usage(1000, 200, 500), model="gpt-4o-2024-08-06")
    result = kernel.evolve(ScriptedAgent([reply]), "Multiply.", budget=Budget(tokens=2000, money=1.0, requests=5))
    assert result.left["tokens"] == 500
    assert result.left["requests"] == 4
    assert result.left["attempts"] == 9
    assert result.left["money"] == pytest.approx(1 - (800 * 2.5 + 200 * 1.25 + 500 * 10) / 1e6)


def test_the_seconds_end_a_request_that_is_under_way(kernel):
    """The clock is the only limit that cuts a request off."""

    async def slow(messages):
        await asyncio.sleep(30)

    with pytest.raises(EvolveError, match=r"0.2 seconds is used up"):
        kernel.evolve(slow, "Multiply.", budget=Budget(seconds=0.2))


@pytest.mark.parametrize("limits", [{"attempts": 0}, {"tokens": -1}, {"money": "much"}, {"seconds": True}])
def test_a_budget_that_makes_no_sense_is_refused(limits):
    """The limit is named."""
    with pytest.raises((UsageError, TypeError), match=next(iter(limits)) + "|supported"):
        Budget(**limits)


def test_the_table_of_prices_has_a_date():
    """The documentation says of when the prices are, and no price is below that of the cache."""
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    assert f"listed in {PRICES_AS_OF} (`PRICES_AS_OF`)" in page
    assert f"{PRICES_WRITTEN.isoformat()} (`PRICES_WRITTEN`)" in page
    assert all(0 < price.cached <= price.input <= price.output for price in PRICES.values())
