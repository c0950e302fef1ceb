"""`symbiont-jit evolve FILE.py:KERNEL`: a search over a kernel of the user's own file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from symbiont_jit.cli.loading import find_inputs, load_kernel
from symbiont_jit.cli.options import Seconds, Seed, make_console, show_errors

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["evolve"]


def evolve(
    target: Annotated[str, typer.Argument(metavar="FILE.py:KERNEL", help="A module and the kernel in it.")],
    seconds: Seconds = 60.0,
    candidates: Annotated[int | None, typer.Option(min=1, help="Stop after so many candidates.")] = None,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    output: Annotated[Path | None, typer.Option(help="Write the best C source to this file.")] = None,
) -> None:
    """Evolve a kernel of a user's file; its function `inputs(rng)` supplies argument tuples.

    A module-level `metric(kernel)` is the score instead, where there is one.
    """
    console = make_console()
    with show_errors(console):
        _run_search(console, target, seconds, candidates, seed, workers, output)


def _run_search(
    console: Console,
    target: str,
    seconds: float,
    candidates: int | None,
    seed: int,
    workers: int,
    output: Path | None,
) -> None:
    from symbiont_jit.evaluate.speedup import Speedup
    from symbiont_jit.propose.mutate import Mutator
    from symbiont_jit.report.terminal import SearchView, show_result
    from symbiont_jit.search.evolution import Evolution

    module, kernel = load_kernel(target)
    console.print(f"evolving {kernel.c_prototype}\n")
    metric = _find_metric(module)
    search = Evolution(kernel, metric=metric, proposer=Mutator(), seed=seed, workers=workers)
    with SearchView(console, seconds, unit="x" if isinstance(metric, Speedup) else "") as view:
        result = search.run(candidates=candidates, seconds=seconds, on_progress=view)
    show_result(
        console, result, "the Numba default" if kernel.revision(0).language == "python" else "the first C source"
    )
    if output is not None and result.best is not None:
        output.write_text(result.best.source)
        console.print(f"written to {output}")


def _find_metric(module: ModuleType) -> Any:
    from symbiont_jit.evaluate.speedup import Speedup

    if callable(custom := getattr(module, "metric", None)):
        return custom
    return Speedup(find_inputs(module))
