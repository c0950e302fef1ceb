"""What measured times say: medians and ratios, each with an interval, and which of them mean something.

In: times of calls that were measured in turns, block by block. Out: estimates with the ends of their intervals.

Times of one side drift together with those of the others, so ratios are taken turn by turn (pairing). Times that follow
each other are alike, so whole blocks of turns are drawn again, not turns (the block bootstrap; Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, chapters 8 and 13). A percentile of few blocks is too narrow; the interval is as
much wider as Student's t of so many blocks is wider than the normal distribution.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

__all__ = ["CONFIDENCE", "ONE", "RESOLUTION", "UNKNOWN", "Interval", "estimate_median", "estimate_ratio"]

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 400
#: The most turns of a block that are drawn again: their median changes little with more.
MAX_TURNS: Final = 64
#: What two runs of the same code differ by because of where it lies, as a share: no interval is narrower than that.
RESOLUTION: Final = 0.002
#: The smallest number of blocks that an interval is made of.
FEWEST_BLOCKS: Final = 3

Blocks = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and the ends of the interval that holds the true value with a given confidence.

    Attributes:
        value: The estimate.
        low: The lower end.
        high: The upper end.
    """

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether there was enough to make an interval of."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def inverse(self) -> Interval:
        """Return the interval of one over the value."""
        return Interval(1 / self.value, 1 / self.high, 1 / self.low if self.low > 0 else math.inf)

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


ONE: Final = Interval(1.0, 1.0, 1.0)
UNKNOWN: Final = Interval(math.nan, -math.inf, math.inf)


def estimate_median(times: Blocks, confidence: float = CONFIDENCE) -> Interval:
    """Estimate the median of times, which are above 0, by blocks of turns."""
    return _estimate([np.log(np.maximum(block, 1e-9)) for block in times if len(block)], confidence)


def estimate_ratio(numerators: Blocks, denominators: Blocks, confidence: float = CONFIDENCE) -> Interval:
    """Estimate the median of ratios that are taken turn by turn.

    Args:
        numerators: Times above 0, by blocks of turns.
        denominators: The other side's times in the same turns.
        confidence: The share of intervals that hold the true ratio.

    Returns:
        The ratio; where there are fewer than `FEWEST_BLOCKS` blocks, its interval has no ends.
    """
    pairs = zip(numerators, denominators, strict=True)
    logs = [np.log(np.maximum(a, 1e-9)) - np.log(np.maximum(b, 1e-9)) for a, b in pairs if len(a)]
    return _estimate(logs, confidence)


def _estimate(blocks: list[Any], confidence: float) -> Interval:
    if not blocks:
        return UNKNOWN
    value = float(np.median(np.concatenate(blocks)))
    count = len(blocks)
    if count < FEWEST_BLOCKS:
        return Interval(math.exp(value), 0.0, math.inf)
    medians = _resample([_thin(block) for block in blocks])
    tail = (1 - confidence) / 2
    wider = _student_quantile(1 - tail, count - 1) / statistics.NormalDist().inv_cdf(1 - tail)
    wider *= math.sqrt(count / (count - 1))
    low, high = (float(end) for end in np.quantile(medians, [tail, 1 - tail]))
    low = value - math.hypot(wider * max(value - low, 0.0), RESOLUTION)
    high = value + math.hypot(wider * max(high - value, 0.0), RESOLUTION)
    return Interval(math.exp(value), math.exp(low), math.exp(high))


def _thin(block: Any) -> Any:
    """Return at most `MAX_TURNS` values with the distribution of a block's."""
    if len(block) <= MAX_TURNS:
        return block
    return np.quantile(block, (np.arange(MAX_TURNS) + 0.5) / MAX_TURNS)


def _resample(blocks: list[Any]) -> Any:
    """Return the medians of as many blocks as there are, drawn with replacement, again and again."""
    length = min(map(len, blocks))
    values = np.stack([np.quantile(block, (np.arange(length) + 0.5) / length) for block in blocks])
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(blocks), (RESAMPLES, len(blocks)))
    return np.median(values[drawn].reshape(RESAMPLES, -1), axis=1)


def _student_quantile(probability: float, freedom: int) -> float:
    """Return a quantile of Student's t distribution by its expansion (Abramowitz and Stegun, 26.7.5)."""
    x, n = statistics.NormalDist().inv_cdf(probability), freedom
    first = (x**3 + x) / (4 * n)
    second = (5 * x**5 + 16 * x**3 + 3 * x) / (96 * n**2)
    third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / (384 * n**3)
    return x + first + second + third
