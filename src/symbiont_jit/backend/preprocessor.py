"""Macros and conditionals of texts that somebody proposed -> C without them.

In: texts, of which nothing is trusted. Out: each text with its macros expanded, line by line, or clang's findings.
"""

from __future__ import annotations

import contextlib
import re
from typing import Final

from symbiont_jit.backend.child_process import Child, ChildError, Deadline, again_where_lost
from symbiont_jit.backend.clang import clang
from symbiont_jit.backend.clang_process import read_errors, send_unit, start_process, target_flags
from symbiont_jit.c import vocabulary
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.uninterrupted import uninterrupted

__all__ = ["preprocess"]

#: Seconds until a text is expanded.
PREPROCESS_TIMEOUT: Final = 0.8


@uninterrupted
def preprocess(*texts: str) -> list[str | list[Diagnostic]]:
    """Expand macros and conditionals of texts, all at the same time; each line stays at its number.

    A text was proposed by somebody, so it is in here that nothing may reach outside: no include path, and the
    operators that look at files or run pragmas are undefined (a pasted `_Pragma` would otherwise run). The standard
    constants are known, because conditions ask for them.
    """
    undefined = "_Pragma __has_include __has_include_next __has_embed __COUNTER__ __DATE__ __TIME__ __TIMESTAMP__"
    command = (
        *clang().toolchain.command,
        *("-E", "-nostdinc", "-w", "-x", "c", "-std=c11", "-fno-trigraphs", *target_flags()),
        *(f"-U{name}" for name in (*undefined.split(), "__FILE__", "__BASE_FILE__", "__FILE_NAME__")),
        *(f"-D{name}={value}" for name, value in vocabulary.CONSTANTS.items()),
        "-",
    )
    return again_where_lost(lambda: _expand(command, texts))


def _expand(command: tuple[str, ...], texts: tuple[str, ...]) -> list[str | list[Diagnostic]]:
    """Expand texts, each in a process of its own."""
    with contextlib.ExitStack() as stack:
        children = []
        try:
            for text in texts:
                children.append(start_process(command))
                stack.callback(children[-1].end)
                send_unit(children[-1], text.encode(), Deadline())
            return [_read_expansion(child) for child in children]
        except ChildError as error:
            return [_too_much(error) for _ in texts]


def _too_much(error: ChildError) -> list[Diagnostic]:
    return [error.finding(Stage.PREPROCESS, "; use functions instead of macros")]


def _read_expansion(child: Child) -> str | list[Diagnostic]:
    """Read what became of a text; that one is too much says nothing of the others."""
    try:
        child.read_all(Deadline(PREPROCESS_TIMEOUT))
    except ChildError as error:
        return _too_much(error)
    found = read_errors(child, Stage.PREPROCESS)
    if found or not child.output:
        return found or [Diagnostic(Stage.PREPROCESS, "compiler", "the preprocessor failed")]
    return _keep_own_lines(child.output.decode("utf-8", "replace"))


def _keep_own_lines(expanded: str) -> str:
    """Keep of the preprocessor's output what is from the text itself, each line at its number in the text."""
    out: list[str] = []
    own = False
    for line in expanded.split("\n"):
        marker = re.match(r'^# (\d+) "([^"]*)"', line)
        if marker:
            own = marker[2] == "<stdin>"
            out += [""] * (int(marker[1]) - 1 - len(out)) if own else []
        elif own:
            out.append(line)
    return "\n".join(out) + "\n"
