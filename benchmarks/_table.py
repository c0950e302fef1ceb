"""What the benchmarks share: medians with their spread, tables on the terminal, results as JSON.

In: raw measurements, one number a round. Out: a `Spread` each, a printed table, a file with the machine's facts.
Ratios are taken round by round and only then summarised: what slows a shared machine slows both sides of a round.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, Final

import llvmlite
import numba
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from symbiont_jit.backend.clang import clang

__all__ = ["Spread", "machine", "options", "ratio", "save", "say", "show", "spread"]

RESULTS: Final = Path(__file__).parent / "results"
#: Wide enough for every table here, so that one in a log file looks like one on a terminal.
WIDTH: Final = 130

_CONSOLE: Final = Console(width=WIDTH, highlight=False)


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some measurements, and the quartiles around it."""

    median: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """`median [low, high]`, each in the format given."""
        return f"{self.median:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


def spread(values: Iterable[float]) -> Spread:
    """The median and quartiles of at least one value."""
    values = list(values)
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def ratio(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Of the ratios of two sides, each of one round."""
    return spread(a / b for a, b in zip(above, below, strict=True))


def options(name: str, description: str | None, rounds: int, **counts: int) -> argparse.Namespace:
    """The command line that every benchmark has: `--json FILE` and `--rounds N`; and one option for each count."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, default=RESULTS / f"{name}.json", help="where the results go")
    parser.add_argument("--rounds", type=_positive, default=rounds, help="measurements of every side (%(default)s)")
    for count, default in counts.items():
        parser.add_argument(f"--{count}", type=_positive, default=default, help="how many (%(default)s)")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one")
    return number


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose first column is text and whose others are numbers."""
    table = Table(title=escape(title), title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(escape(column), justify="right" if index else "left", no_wrap=bool(index))
    for row in rows:
        table.add_row(*map(escape, row))
    _CONSOLE.print(table)


def say(line: str) -> None:
    """Print a line of plain text."""
    _CONSOLE.print(line, markup=False)


def save(path: Path, rounds: int, results: dict[str, Any]) -> None:
    """Write the results with the machine's facts; spreads become objects."""
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = machine()
    content = {"machine": facts, "rounds": rounds, **results}
    path.write_text(json.dumps(content, indent=2, default=_plain) + "\n")
    say(", ".join(f"{name}: {value}" for name, value in facts.items() if name != "system"))
    say(f"written to {path}")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{value!r} has no JSON form")


def machine() -> dict[str, Any]:
    """What the numbers depend on besides the code."""
    tool = clang().toolchain
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "clang": f"{tool.version_text} ({tool.origin})",
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
