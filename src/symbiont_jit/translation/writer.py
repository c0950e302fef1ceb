"""Lines and blocks -> C text, with each variable declared where it is first set.

In: lines in the order in which they run, and the variables that they set. Out: the text of a function's body. A
variable is declared by the line that sets it first, where that line runs before all others that name it; else in front
of the block that has all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["CodeBlock", "Line", "Writer", "print_block"]

_INDENT = "    "
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(slots=True, eq=False)
class Line:
    """One statement or comment; `sets` is the variable that it is an assignment to, `frees` one that ends here."""

    text: str
    sets: str = ""
    frees: str = ""


@dataclass(slots=True, eq=False)
class CodeBlock:
    """A statement with a body: `head` stands before the braces; a loop runs its body again."""

    head: str = ""
    is_loop: bool = False
    items: list[Line | CodeBlock] = field(default_factory=list)

    def names(self) -> set[str]:
        """Return all words of the text."""
        found = set(_WORD.findall(self.head))
        for item in self.items:
            found |= item.names() if isinstance(item, CodeBlock) else set(_WORD.findall(item.text))
        return found


class Writer:
    """Collects the lines of a function; what is written goes to the end of the open block."""

    def __init__(self) -> None:
        self.root = CodeBlock()
        #: What is computed once, before everything else.
        self.first = CodeBlock()
        self.root.items.append(self.first)
        self._open = [self.root]
        self.variables: dict[str, str] = {}

    @property
    def block(self) -> CodeBlock:
        """The block that lines go to."""
        return self._open[-1]

    @property
    def open_blocks(self) -> list[CodeBlock]:
        """The blocks that lines stand in, outermost first."""
        return list(self._open)

    def line(self, text: str) -> None:
        """Write a statement."""
        self.block.items.append(Line(text))

    def assign(self, name: str, text: str) -> None:
        """Write an assignment to a declared variable."""
        self.block.items.append(Line(f"{name} = {text};", name))

    def declare(self, name: str, c_type: str) -> None:
        """Remember a variable, to be declared where its lines allow it; `*` in the type stands for the name."""
        self.variables[name] = c_type

    @contextmanager
    def within(self, head: str, is_loop: bool = False) -> Iterator[CodeBlock]:
        """Write into a block of its own."""
        made = CodeBlock(head, is_loop)
        self.block.items.append(made)
        self._open.append(made)
        try:
            yield made
        finally:
            self._open.pop()

    @contextmanager
    def aside(self) -> Iterator[CodeBlock]:
        """Write into a block that stands nowhere yet."""
        made = CodeBlock()
        self._open.append(made)
        try:
            yield made
        finally:
            self._open.pop()

    def finish(self) -> CodeBlock:
        """Declare all variables, and return the whole."""
        for name, c_type in self.variables.items():
            _place_declaration(self.root, name, c_type)
        return self.root


def declaration(name: str, c_type: str) -> str:
    """Write a declaration: `double x`, `double (*x)[n]`."""
    return c_type.replace("@", name) if "@" in c_type else f"{c_type} {name}"


def _place_declaration(root: CodeBlock, name: str, c_type: str) -> None:
    block, outermost_loop = root, None
    path = [root]
    while True:
        inside = [item for item in block.items if _mentions(item, name)]
        if not inside:
            return
        only = inside[0]
        if len(inside) > 1 or isinstance(only, Line) or name in _WORD.findall(only.head):
            break
        block = only
        path.append(block)
    first = next(item for item in block.items if _mentions(item, name))
    if not (isinstance(first, Line) and first.sets == name):
        # What is not set first may be what the pass before has left, so it lives outside of all loops around.
        outermost_loop = next((index for index, each in enumerate(path) if each.is_loop), None)
        if outermost_loop is not None:
            block = path[outermost_loop - 1]
            first = path[outermost_loop]
    at = next(index for index, item in enumerate(block.items) if item is first)
    head = declaration(name, c_type)
    if isinstance(first, Line) and first.sets == name and not _is_own_operand(first.text, name):
        first.text = f"{head} = {first.text.partition(' = ')[2]}"
    else:
        while _goes_on(block.items[at]):
            at -= 1  # Nothing stands between the ways of an `if`.
        block.items.insert(at, Line(f"{head};"))


def _goes_on(item: Line | CodeBlock) -> bool:
    return isinstance(item, CodeBlock) and item.head.startswith("else")


def _is_own_operand(text: str, name: str) -> bool:
    return name in _WORD.findall(text.partition(" = ")[2])


def _mentions(item: Line | CodeBlock, name: str) -> bool:
    return name in (item.names() if isinstance(item, CodeBlock) else _WORD.findall(item.text))


def print_block(block: CodeBlock, depth: int = 1) -> list[str]:
    """Print the items of a block, each on a line of its own."""
    lines: list[str] = []
    for item in block.items:
        if isinstance(item, Line):
            lines += [f"{_INDENT * depth}{row}" if row else "" for row in item.text.split("\n")]
        elif not item.head:
            lines += print_block(item, depth)
        else:
            joined = _goes_on(item) and lines and lines[-1].strip() == "}"
            head = f"{_INDENT * depth}}} {item.head} {{" if joined else f"{_INDENT * depth}{item.head} {{"
            lines[-1:] = [head] if joined else [*lines[-1:], head]
            lines += [*print_block(item, depth + 1), f"{_INDENT * depth}}}"]
    return lines
