"""What is mutated: six parts, and in them all that runs and means something.

In: the tree. Out: the files of each part, and whether a position in one of them is worth a mutant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["PACKAGE", "PARTS", "files_of", "folder_of", "is_behaviour", "lines_of_statement"]

PACKAGE: Final = Path("src/symbiont_jit")
#: The parts, each with the same number of mutants, and their files.
PARTS: Final = {
    "engine": "engine/*.py",
    "instrument": "instrument/*.py",
    "runtime": "runtime/*.py",
    "worker": "isolate/*.py",
    "agreement": "evaluate/agreement.py",
    "cache": "backend/cache.py",
}

Position = tuple[int, int]


def files_of(part: str) -> list[Path]:
    """The files of a part, relative to the tree."""
    return [path for path in sorted(PACKAGE.glob(PARTS[part])) if path.name != "__init__.py"]


def folder_of(path: Path) -> str:
    """The folder of tests that mirrors a file's own, `tests/engine/`."""
    return f"tests/{path.relative_to(PACKAGE).parts[0]}/"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def is_behaviour(path: Path, position: Position) -> bool:
    """Whether what stands at a line and column does something that a test could see.

    Annotations are never evaluated (`from __future__ import annotations`), and neither what a dataclass generates for
    safety's sake (`frozen`, `slots`) nor the body of `if TYPE_CHECKING` is behaviour.
    """
    return not any(first <= position < last for first, last in _silent_ranges(path))


@cache
def _silent_ranges(path: Path) -> tuple[tuple[Position, Position], ...]:
    return tuple(
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in _silent_nodes(_tree(path))
    )


def _silent_nodes(tree: ast.Module) -> Iterator[ast.expr | ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (each for each in node.decorator_list if "dataclass" in ast.unparse(each))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield node
        elif annotation := getattr(node, "annotation", None):
            yield annotation
        elif returned := getattr(node, "returns", None):
            yield returned


def lines_of_statement(path: Path, line: int) -> range:
    """The lines of the innermost statement at a line; of one that contains others, those before the first of them."""
    found = range(line, line + 1)
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            if line <= max(last, node.lineno):
                found = range(node.lineno, max(last, node.lineno) + 1)
    return found
