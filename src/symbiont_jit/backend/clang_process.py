"""One process of clang: how it starts, gets its text and says what is wrong with it.

In: a command and a unit of C text. Out: a `Child`, and the errors that it has written as `Diagnostic`s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from symbiont_jit.backend.child_process import TIMEOUT, Child, Deadline, spawn
from symbiont_jit.backend.toolchain import ADVICE, target_cpu, target_triple
from symbiont_jit.errors import Diagnostic, Severity, Stage, ToolchainError
from symbiont_jit.starting import FULL, insist

__all__ = ["read_errors", "require_input", "send_unit", "start_process", "target_flags"]

#: Seconds before a process is started once more for which the system had no room.
WAITS: Final = (0.05, 0.2)

_UNNAMED: Final = re.compile(r"\((unnamed|anonymous)[^()]* at [^()]*\)")
_DIAGNOSTIC: Final = re.compile(
    r"^(?P<file>[^:\n]+):(?P<line>\d{1,9}):(?P<column>\d{1,9}): (?P<severity>fatal error|error): (?P<message>.*)$",
    re.MULTILINE,
)


def start_process(command: Sequence[str], inputs: int = 0, insists: bool = True) -> Child:
    """Start a process for so many inputs besides the standard one, which ends after the work of as many units.

    Whoever `insists` tries again where the system has no room.

    Raises:
        ToolchainError: It does not start.
    """
    seconds = math.ceil(TIMEOUT) * max(inputs, 1)
    try:
        return insist(lambda: spawn(command, "the compiler", "compiling", seconds, inputs), WAITS if insists else ())
    except OSError as error:
        advice = "the system has no room for another process" if error.errno in FULL else ADVICE
        raise ToolchainError(f"clang does not start: {error}; {advice}") from error


def send_unit(child: Child, text: bytes, deadline: Deadline) -> None:
    """Give a process its unit, whole: of half a unit it never sees the end."""
    child.write(text, deadline)
    child.end_input()


def read_errors(child: Child, stage: Stage) -> list[Diagnostic]:
    """Return the errors in what a process has said so far."""
    text = child.messages.decode("utf-8", "replace")
    return [
        Diagnostic(stage, "compiler", _clean(m["message"])[:300], int(m["line"]), int(m["column"]), Severity.ERROR)
        for m in _DIAGNOSTIC.finditer(text)
    ]


def _clean(message: str) -> str:
    """Leave the places of structs without names out, which are those of generated text."""
    return _UNNAMED.sub(r"(\1)", message)


def require_input(messages: bytes | bytearray) -> None:
    """Raise `ToolchainError` where clang did not find its standard input, which is no fault of the text."""
    if re.match(rb"(fatal )?error: [^\n]*'/dev/stdin'", messages):
        raise ToolchainError("clang reads C from /dev/stdin, which is not there: mount /proc and /dev")


def target_flags() -> tuple[str, ...]:
    """Return what tells clang which processor it works for."""
    triple = target_triple()
    return f"--target={triple}", "-march=native" if triple.startswith("x86_64") else f"-mcpu={target_cpu()}"
