"""A Python function -> its syntax tree, its comments and what its names mean.

In: a plain function, or one that Numba has compiled. Out: a `PythonFunction`, whose nodes count the lines of its file.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import io
import textwrap
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symbiont_jit.errors import TranslationError

__all__ = ["PythonFunction", "failure_at", "read_function"]


@dataclass(frozen=True, slots=True, eq=False)
class PythonFunction:
    """One function: its tree, its text, and the values of names that are not its own.

    `indent` is how many columns the text stood further to the right in its file.
    """

    name: str
    file: str
    tree: ast.FunctionDef
    lines: tuple[str, ...]
    first_line: int
    indent: int
    comments: Mapping[int, str]
    scope: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        arguments = self.tree.args
        return [each.arg for each in (*arguments.posonlyargs, *arguments.args)]


def read_function(function: Any) -> PythonFunction:
    """Read a function's source.

    Raises:
        TranslationError: There is no source, as for a function that was made by `exec`, or it is no plain function.
    """
    plain = getattr(function, "py_func", function)
    try:
        lines, first = inspect.getsourcelines(plain)
        file = inspect.getsourcefile(plain) or plain.__code__.co_filename
    except (OSError, TypeError) as error:
        name = getattr(plain, "__name__", repr(plain))
        raise TranslationError(f"the source of {name} is not available; define it in a file with `def`") from error
    text = textwrap.dedent("".join(lines))
    indent = len(lines[0]) - len(lines[0].lstrip())
    first = max(first, 1)
    tree = _find_definition(text, plain.__name__, file, first)
    ast.increment_lineno(tree, first - 1)
    return PythonFunction(
        plain.__name__,
        file,
        tree,
        tuple(text.splitlines()),
        first,
        indent,
        _comments(text, first),
        _scope(plain),
        _defaults(plain),
    )


def _find_definition(text: str, name: str, file: str, first: int) -> ast.FunctionDef:
    try:
        body = ast.parse(text).body
    except SyntaxError:
        body = []
    if body and isinstance(body[0], ast.FunctionDef):
        return body[0]
    raise TranslationError(f"{name} is no function with a body of its own; define it with `def`", file, first)


def _comments(text: str, first: int) -> dict[int, str]:
    """Return the comments by the lines of the file that they stand in."""
    found: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0] + first - 1] = token.string.lstrip("#").strip()
    except (tokenize.TokenError, IndentationError):
        pass
    return found


def _scope(function: Any) -> dict[str, Any]:
    """Return what names mean that are not the function's own: those of closures before globals before builtins."""
    closure = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            closure[name] = cell.cell_contents
        except ValueError:  # The cell is empty while the function is being defined.
            continue
    return {**vars(builtins), **function.__globals__, **closure}


def _defaults(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not inspect.Parameter.empty}


def failure_at(function: PythonFunction, node: ast.AST, message: str) -> TranslationError:
    """Make the error about a node: its line and column in the file, and the line itself."""
    line = getattr(node, "lineno", function.first_line)
    column = getattr(node, "col_offset", 0)
    shown = function.lines[line - function.first_line] if line - function.first_line < len(function.lines) else ""
    # Columns of the tree count bytes of the dedented text.
    inside = len(shown.encode()[:column].decode(errors="replace"))
    return TranslationError(message, function.file, line, inside + 1 + function.indent, " " * function.indent + shown)
