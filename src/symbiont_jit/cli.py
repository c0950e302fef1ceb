"""The command line. In: words. Out: text on the terminal, and an exit code: 0 done, 1 failed, 2 used wrongly.

Heavy imports wait until a command runs: help is fast, and NumPy learns its number of threads before it loads.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from symbiont_jit.errors import SymbiontError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from symbiont_jit.kernel import Kernel

__all__ = ["app", "main"]

app = typer.Typer(
    name="symbiont-jit",
    help="Evolve native functions inside a running process.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Seconds = Annotated[float, typer.Option(min=1.0, help="How long to search.")]
Seed = Annotated[int, typer.Option(help="The search's random seed.")]

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def demo(seconds: Seconds = 50.0, seed: Seed = 0) -> None:
    """Evolve a naive matrix product while a Numba loop in another thread keeps calling it."""
    one_thread = "numpy" not in sys.modules
    for name in _ONE_THREAD if one_thread else ():
        os.environ[name] = "1"
    console = _console()
    with _readable_errors(console):
        _demo(console, seconds, seed, one_thread)


def _demo(console: Console, seconds: float, seed: int, one_thread: bool) -> None:
    from symbiont_jit import demo as job
    from symbiont_jit.report.terminal import SearchView, ratio_text, show_result

    kernel = job.matmul_kernel()
    console.print(
        f"A {job.SIZE} x {job.SIZE} float64 matrix product, written as three plain loops, evolves for {seconds:g} s.\n"
        "A Numba loop in another thread calls it all the while; nothing restarts when a better one is swapped in.\n"
    )
    kernel.activate(0)
    with job.RunningLoop(kernel).running() as loop:
        with SearchView(console, seconds, lambda: loop.calls) as view:
            result = job.run(seconds, seed, view, kernel)
        console.print(view.swap_table())
    show_result(console, result)
    compared = job.compare_with_numpy(kernel)
    threads = "on one thread" if one_thread else "on its default threads (NumPy was loaded already)"
    console.print(
        f"numpy.matmul {threads} takes {ratio_text(compared.numpy_ns, compared.kernel_ns)} of the kernel's time"
    )


@app.command()
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
    console = _console()
    with _readable_errors(console):
        _evolve(console, target, seconds, candidates, seed, workers, output)


def _evolve(
    console: Console,
    target: str,
    seconds: float,
    candidates: int | None,
    seed: int,
    workers: int,
    output: Path | None,
) -> None:
    from symbiont_jit.evaluate.metric import Speedup
    from symbiont_jit.propose.mutate import Mutator
    from symbiont_jit.report.terminal import SearchView, show_result
    from symbiont_jit.search.evolution import Evolution

    module, kernel = _load_kernel(target)
    console.print(f"evolving {kernel.c_prototype}\n")
    metric = _metric(module)
    search = Evolution(kernel, metric=metric, proposer=Mutator(), seed=seed, workers=workers)
    with SearchView(console, seconds, unit="x" if isinstance(metric, Speedup) else "") as view:
        result = search.run(candidates=candidates, seconds=seconds, on_progress=view)
    show_result(
        console, result, "the Numba default" if kernel.revision(0).language == "python" else "the first C source"
    )
    if output is not None and result.best is not None:
        output.write_text(result.best.source)
        console.print(f"written to {output}")


def _load_kernel(target: str) -> tuple[ModuleType, Kernel]:
    from symbiont_jit.kernel import Kernel

    path, colon, name = target.rpartition(":")
    if not colon or not name or not path.endswith(".py"):
        raise UsageError(f"{target!r} is not of the form FILE.py:KERNEL")
    module = _load_module(Path(path))
    found = getattr(module, name, None)
    if not isinstance(found, Kernel):
        kernels = [n for n, v in vars(module).items() if isinstance(v, Kernel)]
        raise UsageError(f"{path} has no kernel {name!r}; it has: {', '.join(kernels) or 'none'}")
    return module, found


def _load_module(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # annotations that are text are looked up there
    sys.path.insert(0, str(path.parent.resolve()))
    spec.loader.exec_module(module)
    return module


def _metric(module: ModuleType) -> Any:
    from symbiont_jit.evaluate.metric import Speedup

    if callable(custom := getattr(module, "metric", None)):
        return custom
    inputs = getattr(module, "inputs", None)
    if inputs is None:
        raise UsageError(
            f"{module.__file__} has no function 'inputs'; write one that takes a NumPy Generator and returns a tuple "
            "of arguments, for example: def inputs(rng): return rng.random(1000), rng.random(1000)"
        )
    return Speedup(inputs)


@app.command()
def doctor() -> None:
    """Print versions, find clang, compile and call a kernel; say what to install if something is missing."""
    from symbiont_jit.doctor import examine

    console = _console()
    table = Table(show_header=False, box=None)
    findings = list(examine())
    for finding in findings:
        table.add_row(finding.name, Text(finding.value, style="red" if finding.advice else ""))
    console.print(table)
    problems = [f for f in findings if f.advice]
    for finding in problems:
        console.print(Text(f"{finding.name}: {finding.advice}", style="bold red"))
    if problems:
        raise typer.Exit(1)
    console.print(Text("all is well", style="bold green"))


def _console() -> Console:
    """A console that prints text as it is: `x[n]` is C, not markup."""
    return Console(markup=False, highlight=False)


@contextlib.contextmanager
def _readable_errors(console: Console) -> Iterator[None]:
    """What a person did wrong, or what is missing, as a message; anything else is a bug and keeps its traceback."""
    try:
        yield
    except SymbiontError as error:
        console.print(Text(f"{type(error).__name__}: {error}", style="bold red"))
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None
