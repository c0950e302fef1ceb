"""`symbiont-jit doctor`: what is installed, and whether it works."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from symbiont_jit.cli.options import make_console

__all__ = ["doctor"]


def doctor() -> None:
    """Print versions, find clang, compile and call a kernel; say what to install if something is missing."""
    from symbiont_jit.doctor import examine
    from symbiont_jit.kernel import Kernel

    console = make_console()
    table = Table(show_header=False, box=None)
    findings = list(examine(Kernel.from_c, _search_briefly))
    for finding in findings:
        table.add_row(finding.name, Text(finding.value, style="red" if finding.advice else ""))
    console.print(table)
    problems = [f for f in findings if f.advice]
    for finding in problems:
        console.print(Text(f"{finding.name}: {finding.advice}", style="bold red"))
    if problems:
        raise typer.Exit(1)
    console.print(Text("all is well", style="bold green"))


def _search_briefly(kernel: Any) -> str:
    from symbiont_jit.propose.mutate import Mutator
    from symbiont_jit.search.evolution import Evolution

    return str(Evolution(kernel, metric=lambda candidate: float(candidate(2.0)), proposer=Mutator()).run(seconds=1.0))
