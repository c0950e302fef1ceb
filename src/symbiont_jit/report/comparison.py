"""A comparison of variants, shown: text, a table of rich, HTML, JSON, a plot.

In: what `evaluate.compare` says of each variant. Out: a `Comparison`, which prints as a table.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.compare import ComparedVariant
from symbiont_jit.evaluate.intervals import Interval

__all__ = ["Comparison"]

_STYLES: Final = {"faster": "green", "slower": "yellow", "problem": "red"}
_UNITS: Final = ((1e3, "ns", 1.0), (1e6, "us", 1e3), (1e9, "ms", 1e6), (math.inf, "s", 1e9))


@dataclass(frozen=True)
class Comparison:
    """Variants that were measured side by side; it prints as a table.

    Attributes:
        rows: What is said of each variant, for one size after the other, in the order in which they were given.
        noise: For each size the ratio of the first variant to itself: no difference that is smaller counts.
        load: How many processes wanted a processor on average in the minute before the end, where the system says so.

    Example:
        >>> comparison = sj.compare({"plain": first_source, "unrolled": second_source}, inputs)
        >>> comparison["unrolled"].verdict
        'faster'
        >>> print(comparison)
    """

    rows: tuple[ComparedVariant, ...]
    noise: tuple[Interval, ...]
    load: float | None = None

    def __getitem__(self, key: str | tuple[str, int]) -> ComparedVariant:
        """Return the row of a variant, of the first size or of a given one."""
        name, size = key if isinstance(key, tuple) else (key, self.rows[0].size)
        found = next((row for row in self.rows if (row.name, row.size) == (name, size)), None)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[ComparedVariant]:
        return iter(self.rows)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that were measured, if there were several."""
        return tuple(dict.fromkeys(row.size for row in self.rows if row.size is not None))

    def to_json(self) -> str:
        """Return everything as JSON; what is not known is null."""
        return json.dumps(_without_infinities(asdict(self)))

    def __str__(self) -> str:
        cells = [self._headings(), *(self._cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in cells
        ]
        return "\n".join(line.rstrip() for line in [*lines, *self._notes()])

    def __rich__(self) -> Table:
        table = Table(caption="\n".join(self._notes()), caption_justify="left")
        for index, heading in enumerate(self._headings()):
            table.add_column(heading, justify="right" if index else "left")
        for row in self.rows:
            style = _STYLES.get(row.verdict, "")
            table.add_row(*(Text(cell, style=style) for cell in self._cells(row)))
        return table

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(heading)}</th>" for heading in self._headings())
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in self._cells(row)) + "</tr>"
            for row in self.rows
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def plot(self) -> Any:
        """Draw the time of a call by the size of the arguments, with intervals, as a figure of plotly.

        Raises:
            UsageError: There are not several sizes, or plotly is not installed.
        """
        if len(self.sizes) < 2:
            raise UsageError("a plot is of several sizes: compare(..., sizes=[100, 1000, 10000])")
        try:
            from plotly import graph_objects
        except ImportError as error:
            raise UsageError("a plot needs plotly; install it with: pip install 'symbiont-jit[report]'") from error
        figure = graph_objects.Figure()
        for name in dict.fromkeys(row.name for row in self.rows):
            rows = [row for row in self.rows if row.name == name and row.ns.is_known]
            figure.add_scatter(
                name=name,
                x=[row.size for row in rows],
                y=[row.ns.value for row in rows],
                error_y={
                    "array": [row.ns.high - row.ns.value for row in rows],
                    "arrayminus": [row.ns.value - row.ns.low for row in rows],
                },
            )
        figure.update_xaxes(type="log", title="size")
        figure.update_yaxes(type="log", title="nanoseconds a call")
        return figure

    # -- cells --------------------------------------------------------------------------------------------------

    def _headings(self) -> list[str]:
        size = ["n"] if self.sizes else []
        return ["variant", *size, "a call", "95 %", "times as fast", "95 %", "code", "vectors", "verdict"]

    def _cells(self, row: ComparedVariant) -> list[str]:
        size = [str(row.size)] if self.sizes else []
        time, time_ends = _describe_time(row.ns)
        ratio = f"{row.ratio.value:.3g}" if math.isfinite(row.ratio.value) else "-"
        ratio_ends = f"{row.ratio.low:.3g} .. {row.ratio.high:.3g}" if row.ratio.is_known else "-"
        code = "-" if row.code_bytes is None else f"{row.code_bytes} B"
        bits = {None: "-", 0: "none"}.get(row.vector_bits, f"{row.vector_bits} bits")
        verdict = row.verdict if row.problem is None else f"{row.verdict}: {row.problem.splitlines()[0][:100]}"
        return [row.name, *size, time, time_ends, ratio, ratio_ends, code, bits, verdict]

    def _notes(self) -> list[str]:
        sizes = self.sizes or (None,)
        pairs = zip(sizes, self.noise, strict=True)
        noise = "; ".join(f"{'' if n is None else f'n = {n}: '}{i.low:.4g} .. {i.high:.4g}" for n, i in pairs)
        load = "" if self.load is None else f"; load {self.load:.1f}"
        return [f"'{self.rows[0].name}' against itself: {noise}{load}. CPU time; medians of blocks of turns."]


def _describe_time(ns: Interval) -> tuple[str, str]:
    """Return a time with its unit, and its interval in the same unit."""
    if not math.isfinite(ns.value):
        return "-", "-"
    unit, scale = next((unit, scale) for limit, unit, scale in _UNITS if ns.value < limit)
    ends = f"{ns.low / scale:.3g} .. {ns.high / scale:.3g}" if ns.is_known else "-"
    return f"{ns.value / scale:.3g} {unit}", ends


def _without_infinities(value: Any) -> Any:
    match value:
        case dict():
            return {name: _without_infinities(each) for name, each in value.items()}
        case list() | tuple():
            return [_without_infinities(each) for each in value]
        case float() if not math.isfinite(value):
            return None
    return value
