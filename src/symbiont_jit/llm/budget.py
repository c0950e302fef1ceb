"""What a lane may spend, and what it has spent: attempts, requests, tokens, money, seconds.

In: limits, and the usage of each request. Out: `BudgetExceeded` before the request that would go beyond, and what is
left. A request that is under way is never cut off but by the clock, so the last one may overshoot tokens and money.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from symbiont_jit.agents.protocol import Usage
from symbiont_jit.errors import AgentError, UsageError

__all__ = ["PRICES", "PRICES_AS_OF", "PRICES_WRITTEN", "Budget", "BudgetExceeded", "Price", "Spending"]

#: Attempts that a lane makes unless its budget says otherwise.
ATTEMPTS: Final = 10


class BudgetExceeded(AgentError):  # noqa: N818  a limit is reached, which is nobody's error
    """Nothing more may be spent; the message says which limit is reached."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens, in whatever currency the budget counts in.

    Args:
        input: Money for a million tokens that the model reads.
        output: Money for a million tokens that the model writes, its reasoning included.
        cached: Money for a million tokens that the server had in its cache; None is as much as `input`.

    Example:
        >>> sj.Budget(money=0.5, prices={"my-model": sj.Price(input=1.0, output=2.0)})
    """

    input: float
    output: float
    cached: float | None = None

    def of(self, usage: Usage) -> float:
        """Compute what a request costs.

        Args:
            usage: The tokens of the request.

        Returns:
            Money, in the currency of the price.
        """
        cached = self.input if self.cached is None else self.cached
        return ((usage.input - usage.cached) * self.input + usage.cached * cached + usage.output * self.output) / 1e6


#: When the providers listed the prices of the table, and when the table was written down. Prices change: what a lane
#: counts by this table is an estimate, and `Budget(prices=...)` has the last word.
PRICES_AS_OF: Final = "2025"
PRICES_WRITTEN: Final = datetime.date(2026, 11, 25)
#: US dollars for a million tokens, by model: input, output, cached input.
PRICES: Final[Mapping[str, Price]] = {
    "gpt-4o": Price(2.5, 10.0, 1.25),
    "gpt-4o-mini": Price(0.15, 0.6, 0.075),
    "gpt-4.1": Price(2.0, 8.0, 0.5),
    "gpt-4.1-mini": Price(0.4, 1.6, 0.1),
    "gpt-4.1-nano": Price(0.1, 0.4, 0.025),
    "o3": Price(2.0, 8.0, 0.5),
    "o4-mini": Price(1.1, 4.4, 0.275),
    "gpt-5": Price(1.25, 10.0, 0.125),
    "gpt-5-mini": Price(0.25, 2.0, 0.025),
    "gpt-5-nano": Price(0.05, 0.4, 0.005),
    "deepseek-chat": Price(0.27, 1.1, 0.07),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one lane may spend; None is no limit.

    The limits are looked at before each request. A request that is under way is never cut off but by the clock, so the
    last one may go beyond the limits of tokens and money.

    Args:
        attempts: Answers that are read, compiled and checked.
        requests: Requests to a server, failed ones and those of tool calls included.
        tokens: Input and output tokens together.
        input_tokens: Tokens that the model reads, cached ones included.
        cached_tokens: Tokens that the server had in its cache.
        output_tokens: Tokens that the model writes, its reasoning included.
        reasoning_tokens: Tokens of the model's reasoning.
        money: Money in the currency of the prices, by default US dollars. A model without a known price ends the lane.
        seconds: Seconds since the lane began.
        prices: Prices by model; they add to the table of known prices and override it. That table is dated:
            `symbiont_jit.llm.budget.PRICES_AS_OF` says of when its prices are.

    Raises:
        UsageError: A limit is not a number above 0.

    Example:
        >>> kernel.evolve(agent, "Make it faster.", budget=sj.Budget(attempts=5, tokens=50_000, seconds=60))
    """

    attempts: int = ATTEMPTS
    requests: int | None = None
    tokens: int | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    money: float | None = None
    seconds: float | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if limit.name != "prices" and value is not None and (isinstance(value, bool) or not value > 0):
                raise UsageError(f"Budget({limit.name}=...) is a number above 0 or None, not {value!r}")

    def price_of(self, model: str) -> Price | None:
        """Find the price of a model.

        Args:
            model: The name; a dated one (`gpt-4o-2024-08-06`) has the price of the longest name it begins with.

        Returns:
            The price, or None where none is known.
        """
        known = {**PRICES, **self.prices}
        names = [name for name in known if model == name or model.startswith(f"{name}-20")]
        return known[max(names, key=len)] if names else None


_TOKENS: Final[Mapping[str, Callable[[Usage], int]]] = {
    "tokens": lambda u: u.input + u.output,
    "input_tokens": lambda u: u.input,
    "cached_tokens": lambda u: u.cached,
    "output_tokens": lambda u: u.output,
    "reasoning_tokens": lambda u: u.reasoning,
}


@dataclass(slots=True)
class Spending:
    """What a lane has spent so far; a `Meter` for the agents that work for it.

    Attributes:
        budget: The limits.
        attempts: Answers that were read, compiled and checked.
        requests: Requests to a server, failed ones included.
        usage: The tokens of all requests whose server said how many.
        money: What the requests of models with a known price cost, in the currency of the prices.
        unpriced: Models without a known price that were asked.
        unknown: How many requests no server gave the tokens of, failed ones among them.
        started: When the lane began, by the monotonic clock, in seconds.
        stopped: When the lane ended; None while it runs.
    """

    budget: Budget
    attempts: int = 0
    requests: int = 0
    usage: Usage = field(default_factory=Usage)
    money: float = 0.0
    unpriced: tuple[str, ...] = ()
    unknown: int = 0
    started: float = field(default_factory=time.monotonic)
    stopped: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds from the lane's beginning to its end, or until now."""
        return (time.monotonic() if self.stopped is None else self.stopped) - self.started

    def before_request(self) -> None:
        """Count one request; raises `BudgetExceeded` where a limit is reached."""
        problem = self.reached_limit
        if problem is not None:
            raise BudgetExceeded(problem)
        self.requests += 1

    def after_request(self, usage: Usage | None, model: str = "") -> None:
        """Count what a request has used; `usage` is None where it failed or its server did not say."""
        if usage is None or not usage.is_known:
            self.unknown += 1
            return
        self.usage = self.usage + usage
        price = self.budget.price_of(model)
        if price is not None:
            self.money += price.of(usage)
        elif model not in self.unpriced:
            self.unpriced = (*self.unpriced, model)

    @property
    def reached_limit(self) -> str | None:
        """The limit that is reached, in words; None while something is left of each."""
        if self.budget.money is not None and self.unpriced:
            return (
                f"the price of the model {self.unpriced[0]!r} is unknown, so money cannot be counted; "
                "give Budget(prices={name: sj.Price(input, output)})"
            )
        left = self.compute_left()
        for name, value in left.items():
            if name != "attempts" and value <= 0:
                return f"the budget of {getattr(self.budget, name):g} {name.replace('_', ' ')} is used up"
        return None

    def compute_left(self) -> dict[str, float]:
        """Compute what is left of each limit that the budget has, by the limit's name and in its unit."""
        spent: dict[str, float] = {name: count(self.usage) for name, count in _TOKENS.items()}
        spent |= {name: getattr(self, name) for name in ("attempts", "requests", "money", "seconds")}
        limits = {name: getattr(self.budget, name) for name in spent}
        return {name: max(limit - spent[name], 0) for name, limit in limits.items() if limit is not None}
