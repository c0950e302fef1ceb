"""A search on the terminal: live numbers, a line for every improvement, the result at the end.

In: `Progress` records and results. Out: text, by rich. On a terminal that cannot be redrawn only the lines appear.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from symbiont_jit.evaluate.evaluation import Evaluation
from symbiont_jit.search.result import EvolutionResult, Progress

__all__ = ["SearchView", "describe_gains", "describe_ratio", "show_result"]

SAMPLE_SECONDS = 0.25
SHOWN_SWAPS = 12


class SearchView:
    """Shows a running search; it is a context manager, and the search's `on_progress`.

    Args:
        console: Where the text goes.
        seconds: How long the search will take, if that is known.
        calls: Counts the calls of a loop that uses the kernel meanwhile, if there is one.
        unit: What follows each score, `x` for speed-ups.
    """

    def __init__(
        self, console: Console, seconds: float | None, calls: Callable[[], int] | None = None, unit: str = "x"
    ) -> None:
        self.console = console
        self._seconds = seconds
        self._calls = calls
        self._unit = unit
        self._started = time.monotonic()
        self._samples: list[tuple[float, int]] = [(0.0, calls() if calls else 0)]
        self._swaps: list[tuple[float, Progress | None]] = [(0.0, None)]
        self._last: Progress | None = None
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4, transient=True)

    def __enter__(self) -> SearchView:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sample()
        self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Take in a progress record; where the candidate was swapped in, a line appears."""
        self._last = progress
        if progress.revision is not None:
            self._sample()
            self._swaps.append((self._now(), progress))
            self.console.print(self._swap_line(progress))

    def _now(self) -> float:
        return time.monotonic() - self._started

    def _swap_line(self, progress: Progress) -> Text:
        before = self._throughput(len(self._swaps) - 2)
        speed = f"; the loop ran at {before:,.1f} calls/s until now" if before else ""
        return Text(
            f"{progress.seconds:6.1f} s  candidate {progress.candidate.number:4d} swapped in: "
            f"{progress.best:.4g}{self._unit}  ({progress.candidate.origin}){speed}",
            style="green",
        )

    def _sample(self) -> None:
        if self._calls is not None:
            self._samples.append((self._now(), self._calls()))

    def _throughput(self, swap: int) -> float:
        """Return the loop's calls a second between a swap and the next one, or now; 0 for too short a time."""
        start = self._swaps[swap][0]
        end = self._swaps[swap + 1][0] if swap + 1 < len(self._swaps) else self._now()
        inside = [(t, n) for t, n in self._samples if start <= t <= end]
        if len(inside) < 2 or inside[-1][0] - inside[0][0] < 1e-3:
            return 0.0
        return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])

    def _render(self) -> RenderableType:
        if self._now() - self._samples[-1][0] > SAMPLE_SECONDS:
            self._sample()
        return Group(self._headline(), self.swap_table()) if self._calls else self._headline()

    def _headline(self) -> Text:
        last = self._last
        limit = f" of {self._seconds:g}" if self._seconds else ""
        if last is None:
            return Text(f"{self._now():5.1f}{limit} s  measuring the reference ...")
        best = f"best {last.best:.4g}{self._unit}" if last.best is not None else "nothing valid yet"
        rate = last.evaluated / max(last.seconds, 1e-9)
        return Text(
            f"{self._now():5.1f}{limit} s  {last.evaluated} candidates, {rate:.1f} a second, {best}", style="bold"
        )

    def swap_table(self) -> Table:
        """Make a table of the running loop's throughput from swap to swap."""
        table = Table(title="the running loop", title_justify="left")
        for heading in ("since", "revision", "speed-up", "calls/s"):
            table.add_column(heading, justify="right")
        for index, (start, progress) in list(enumerate(self._swaps))[-SHOWN_SWAPS:]:
            revision = progress.revision.number if progress and progress.revision else "start"
            speed = f"{progress.best:.2f}x" if progress and progress.best is not None else "1x"
            table.add_row(f"{start:.1f} s", str(revision), speed, f"{self._throughput(index):,.1f}")
        return table


def show_result(console: Console, result: EvolutionResult, reference: str = "the Numba default") -> None:
    """Print the best source, and what was measured of it; `reference` says what it is compared with."""
    console.print(Text(str(result), style="bold"))
    counts = ", ".join(f"{status.name.lower()} {n}" for status, n in sorted(result.counts.items(), reverse=True))
    console.print(f"candidates by outcome: {counts}")
    if result.best is None:
        return
    console.print(Syntax(result.best.source, "c", background_color="default", word_wrap=True))
    if result.best.timings.candidate_ns:
        console.print(Text(describe_speedup(result.best, reference), style="bold green"))
    for line in describe_gains(result):
        console.print(Text(line))


def describe_gains(result: EvolutionResult) -> list[str]:
    """Say how many times as fast as each of its peers the best one is, and whether that changed anything."""
    if result.is_gain is None:
        return []
    lines = [
        f"{gain.value:.2f} times as fast as {name} (99 %: {gain.low:.2f} to {gain.high:.2f})"
        for name, gain in result.gains.items()
    ]
    return lines if result.is_gain else [*lines, "no significant gain: what was active before is active again"]


def describe_speedup(evaluation: Evaluation, reference: str) -> str:
    """Describe the speed-up over the reference, with its spread over the rounds."""
    timings = evaluation.timings
    return (
        f"speed-up over {reference}: {describe_ratio(timings.reference_ns, timings.candidate_ns)}; "
        f"{_format_time(timings.reference_ns)} -> {_format_time(timings.candidate_ns)} a call (CPU time, medians)"
    )


def describe_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> str:
    """Describe the median of ratios that are taken round by round, with their quartiles."""
    ratios = sorted(a / b for a, b in zip(numerators, denominators, strict=False) if b > 0)
    if len(ratios) < 2:
        return "not enough rounds"
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f}x (quartiles {low:.2f} to {high:.2f}, {len(ratios)} rounds)"


def _format_time(values: Sequence[float]) -> str:
    value = statistics.median(values)
    for limit, unit, scale in ((1e3, "ns", 1.0), (1e6, "us", 1e3), (1e9, "ms", 1e6)):
        if value < limit:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e9:.3g} s"
