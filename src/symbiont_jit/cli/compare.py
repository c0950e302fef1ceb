"""`symbiont-jit compare FILE.py:KERNEL A.c B.c`: a kernel and C files for it, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbiont_jit.cli.loading import find_inputs, load_kernel
from symbiont_jit.cli.options import make_console, show_errors
from symbiont_jit.errors import UsageError

__all__ = ["compare"]


def compare(
    target: Annotated[str, typer.Argument(metavar="FILE.py:KERNEL", help="A module and the kernel in it.")],
    files: Annotated[list[Path], typer.Argument(metavar="A.c ...", help="C files of the same function.")],
    seconds: Annotated[float, typer.Option(min=0.01, help="How long to measure.")] = 1.0,
    cold: Annotated[
        bool, typer.Option("--cold", help="Take the arguments out of the caches before each call.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a kernel of a user's file and C texts for it, on the arguments that its function `inputs(rng)` draws.

    Example: symbiont-jit compare dot.py:dot first.c second.c --seconds 2
    """
    console = make_console()
    with show_errors(console):
        from symbiont_jit.kernel.compare import compare as run

        module, kernel = load_kernel(target)
        missing = [str(file) for file in files if not file.is_file()]
        if missing:
            raise UsageError(f"there is no file {', '.join(missing)}")
        inputs = find_inputs(module)
        found = run({kernel.__name__: kernel, **{str(f): f for f in files}}, inputs, seconds=seconds, cold=cold)
        if as_json:
            typer.echo(found.to_json())
        else:
            console.print(found if console.is_terminal else str(found), soft_wrap=not console.is_terminal)
