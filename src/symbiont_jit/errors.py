"""The exceptions of the project, by whose fault they are, and diagnostics, which say where a text is wrong.

In: a stage, a rule, a message, a position. Out: exceptions a person can act on, and text with a caret. Nothing in this
module knows C, clang or Numba.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "AgentError",
    "CandidateError",
    "Diagnostic",
    "EvolveError",
    "KernelError",
    "PanicError",
    "Severity",
    "SignatureError",
    "Stage",
    "SymbiontError",
    "ToolchainError",
    "TranslationError",
    "UsageError",
    "pluralize",
    "render_diagnostics",
]

#: The most findings that are rendered: a hostile candidate can provoke thousands, a person or a prompt can use a few.
MAX_RENDERED = 20
MAX_LINE_WIDTH = 160


class Stage(enum.StrEnum):
    """The step of the pipeline that found something."""

    READ = "read"
    PREPROCESS = "preprocess"
    PARSE = "parse"
    CHECK = "check"
    LOWER = "lower"
    LINK = "link"
    EVALUATE = "evaluate"


class Severity(enum.StrEnum):
    """The weight of a finding; only an error rejects a candidate."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a candidate.

    Attributes:
        stage: The step of the pipeline that found it.
        rule: The name of the rule that the text breaks.
        message: What is wrong, in one sentence.
        line: The line, counted from 1; 0 is the text as a whole.
        column: The column, counted from 1; 0 is the line as a whole.
        severity: Whether the finding rejects the candidate.
    """

    stage: Stage
    rule: str
    message: str
    line: int = 0
    column: int = 0
    severity: Severity = Severity.ERROR

    def render(self, source: str) -> str:
        """Write the finding, the line it is about, and a caret under the column.

        Args:
            source: The text whose lines the finding counts.

        Returns:
            One line where the finding is about no line of the text, else three.
        """
        head = f"{self.severity}: {self.message} [{self.rule}]"
        if self.line < 1:
            return head
        head = f"{self.line}:{max(self.column, 1)}: {head}"
        lines = source.split("\n")
        if self.line > len(lines):
            return head
        return f"{head}\n{_caret_view(lines[self.line - 1], max(self.column, 1))}"


def _caret_view(text: str, column: int) -> str:
    """Show the part of a line around `column` with a caret below; a long line is cut, the caret never is."""
    start = max(0, column - MAX_LINE_WIDTH // 2)
    shown = text[start : start + MAX_LINE_WIDTH]
    # Tabs stay tabs in both rows, so that the caret stands under its column on any terminal.
    pad = "".join("\t" if c == "\t" else " " for c in shown[: column - 1 - start])
    printable = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in shown)
    return f"    {printable}\n    {pad}^"


def render_diagnostics(diagnostics: Iterable[Diagnostic], source: str) -> str:
    """Write all findings, one after the other; past the first twenty only their number is given."""
    found = list(diagnostics)
    blocks = [d.render(source) for d in found[:MAX_RENDERED]]
    if len(found) > MAX_RENDERED:
        blocks.append(f"... and {len(found) - MAX_RENDERED} more")
    return "\n".join(blocks)


def pluralize(count: int, what: str) -> str:
    """Write a number of things in words: `1 attempt`, `2 attempts`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


class SymbiontError(Exception):
    """The root of every exception that the project raises on purpose."""


class UsageError(SymbiontError):
    """The caller asked for something that cannot be done; the message says what to do instead."""


class SignatureError(UsageError):
    """A declaration has no C prototype; the message names the parameter and says what to write."""


class KernelError(UsageError):
    """A kernel was used in a way its state does not allow (an unknown revision, a body Numba rejects)."""


class TranslationError(UsageError):
    """A Python function cannot be translated into C; the message says where and what to write instead.

    Attributes:
        message: What cannot be translated, and what can.
        file: The file of the function; empty where it has none.
        line: The line of the file, counted from 1; 0 is the function as a whole.
        column: The column, counted from 1.
        text: The line itself.

    Example:
        >>> try:
        ...     print(sj.translate(function))
        ... except sj.TranslationError as error:
        ...     print(error.line, error.message)
    """

    def __init__(self, message: str, file: str = "", line: int = 0, column: int = 0, text: str = "") -> None:
        super().__init__(message, file, line, column, text)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.text = text

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else ""
        shown = f"\n{_caret_view(self.text, self.column)}" if self.text and self.column else ""
        return f"{place}{self.message}{shown}"


class CandidateError(SymbiontError):
    """The candidate's text is not acceptable.

    Attributes:
        stage: The step of the pipeline where the candidate failed.
        diagnostics: All findings.
        source: The text whose lines the findings count: the proposed text up to the checks, the canonical source from
            clang on.

    Example:
        >>> try:
        ...     kernel.swap(source)
        ... except sj.CandidateError as error:
        ...     print(error)
    """

    def __init__(self, stage: Stage, diagnostics: Iterable[Diagnostic], source: str) -> None:
        # A macro that repeats its argument repeats what is wrong with it, at the same place of the author's text.
        super().__init__(stage, tuple(dict.fromkeys(diagnostics)), source)
        self.stage: Stage = stage
        self.diagnostics: tuple[Diagnostic, ...] = self.args[1]
        self.source: str = source

    def __str__(self) -> str:
        head = f"the candidate failed at stage '{self.stage}' with {pluralize(len(self.diagnostics), 'finding')}:"
        return f"{head}\n{render_diagnostics(self.diagnostics, self.source)}"


class PanicError(SymbiontError):
    """A call from Python panicked: a check failed, the call was interrupted, or the function has no body yet.

    Calls from compiled code return zero instead, and are counted by `sj.panics`.

    Attributes:
        panic: The `Panic`: its kind, and where it happened in the author's text.

    Example:
        >>> try:
        ...     kernel(x, 10)
        ... except sj.PanicError as error:
        ...     print(error.panic.kind, error.panic.line)
    """

    def __init__(self, panic: Any) -> None:
        super().__init__(panic)
        self.panic = panic

    def __str__(self) -> str:
        return str(self.panic)


class EvolveError(SymbiontError):
    """The model gave no acceptable body within its budget.

    Attributes:
        trace: The `Trace` of the lane: everything that happened.

    Example:
        >>> try:
        ...     kernel.evolve(agent, "Make it faster.", attempts=3)
        ... except sj.EvolveError as error:
        ...     print(error.trace)
    """

    def __init__(self, message: str, trace: Any = None) -> None:
        super().__init__(message, trace)
        self.trace = trace

    def __str__(self) -> str:
        return str(self.args[0])


class AgentError(SymbiontError):
    """The model could not be asked; the message says whether network, server or configuration is at fault."""


class ToolchainError(SymbiontError):
    """clang or LLVM is missing or does not fit; the message says what to install."""
