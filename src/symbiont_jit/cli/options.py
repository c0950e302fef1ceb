"""What commands share: options, the console, and how errors are shown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from symbiont_jit.errors import SymbiontError, UsageError

__all__ = ["Seconds", "Seed", "make_console", "show_errors"]

Seconds = Annotated[float, typer.Option(min=1.0, help="How long to search.")]
Seed = Annotated[int, typer.Option(help="The search's random seed.")]


def make_console() -> Console:
    """Make a console that prints text as it is: `x[n]` is C, not markup."""
    return Console(markup=False, highlight=False)


@contextlib.contextmanager
def show_errors(console: Console) -> Iterator[None]:
    """Print what a person did wrong, or what is missing, as a message; any other error keeps its traceback.

    Raises:
        typer.Exit: There was such an error; the code is 2 for a usage error and 1 for any other.
    """
    try:
        yield
    except SymbiontError as error:
        console.print(Text(f"{type(error).__name__}: {error}", style="bold red"))
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None
