"""The command line. In: words. Out: text on the terminal, and an exit code: 0 done, 1 failed, 2 used wrongly.

Each command is a module with a function of its name; a new one is imported here and added to `COMMANDS`. Heavy imports
wait until a command runs, so that help is fast and NumPy learns its number of threads before it loads.
"""

from __future__ import annotations

import typer

from symbiont_jit.cli import compare, demo, doctor, evolve

__all__ = ["COMMANDS", "app", "main"]

#: The commands in the order in which help lists them.
COMMANDS = (demo.demo, evolve.evolve, compare.compare, doctor.doctor)

app = typer.Typer(
    name="symbiont-jit",
    help="Evolve native functions inside a running process.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line with the words that the process was started with."""
    app()
