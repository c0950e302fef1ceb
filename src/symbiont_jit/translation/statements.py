"""Statements -> lines and blocks of C, with Python's meaning of assignments and loops.

In: statements. Out: what is written. Each function says whether the program goes on behind what it has translated.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.translation.bindings import merge_ways
from symbiont_jit.translation.conversions import UntranslatableError
from symbiont_jit.translation.expressions import evaluate, evaluate_condition
from symbiont_jit.translation.state import NodeHandler, State
from symbiont_jit.translation.writer import CodeBlock

__all__ = ["STATEMENTS", "Ways", "free_all", "memory", "translate_body", "write_comments"]


@dataclass(slots=True, eq=False)
class Ways:
    """The ways out of a loop's body: what names are where it ends early or begins anew; `depth` counts open memory."""

    depth: int
    breaks: list[dict[str, Any]] = field(default_factory=list)
    continues: list[dict[str, Any]] = field(default_factory=list)
    #: What stands before each `continue`, as the next step of a counter that the body may change.
    flag: str = ""


def translate_body(state: State, body: Sequence[ast.stmt]) -> bool:
    """Translate statements; the result is whether the program goes on behind them."""
    for statement in body:
        write_comments(state, statement)
        handler = state.statements.get(type(statement))
        if handler is None:
            state.fail(statement, _ADVICE.get(type(statement), "this statement has no C form"))
        try:
            goes_on = handler(state, statement)
        except UntranslatableError as error:
            state.fail(statement, str(error))
        if goes_on is False:
            return False
    return True


_ADVICE: Final = {
    ast.Try: "'try' has no C form; test for what goes wrong before it does",
    ast.With: "'with' has no C form",
    ast.FunctionDef: "a function within a function has no C form; define it outside with @njit",
    ast.ClassDef: "a class has no C form",
    ast.Global: "a global that is written has no C form; return the value",
    ast.Delete: "'del' has no C form; leave it out",
}


def write_comments(state: State, statement: ast.stmt) -> None:
    """Write the comments that stand above a statement and behind its first line."""
    comments = state.frame.function.comments
    for line in sorted(comments):
        if line <= statement.lineno and line not in state.frame.commented:
            state.frame.commented.add(line)
            text = comments[line].replace("\\", "/").replace("??", "?")
            if text:
                state.writer.line(f"// {text}")


# -- ways ------------------------------------------------------------------------------------------------------------


def _if(state: State, node: ast.If) -> bool:
    condition = evaluate_condition(state, node.test)
    if condition.constant is not None:
        return translate_body(state, node.body if condition.constant else node.orelse)
    frame = state.frame
    before = dict(frame.bindings)
    ways = []
    with state.writer.within(f"if ({condition.text})"), state.assume(node.test), memory(state):
        if translate_body(state, node.body):
            ways.append(frame.bindings)
    frame.bindings = dict(before)
    with state.writer.aside() as lines, memory(state):
        if translate_body(state, node.orelse):
            ways.append(frame.bindings)
    if lines.items:
        _write_else(state, lines)
    frame.bindings = merge_ways(state, ways, frame.liveness.after.get(node, ()))
    return bool(ways)


def _write_else(state: State, lines: Any) -> None:
    """Write the other way; one that is an `if` itself goes on in the same line."""
    items = lines.items
    is_chain = (
        all(isinstance(item, CodeBlock) for item in items)
        and isinstance(items[0], CodeBlock)
        and items[0].head.startswith("if ")
    )
    if is_chain and all(item.head.startswith("else") for item in items[1:]):
        items[0].head = f"else {items[0].head}"
        state.writer.block.items += items
        return
    with state.writer.within("else") as block:
        block.items += items


@contextmanager
def memory(state: State) -> Iterator[None]:
    """Give the memory of a block back where the block ends."""
    state.owned.append([])
    try:
        yield
    finally:
        owned = state.owned.pop()
    free_all(state, [owned])


def free_all(state: State, blocks: Sequence[Sequence[Any]]) -> None:
    """Write the lines that give memory back, unless the program has left the block already."""
    items = state.writer.block.items
    last = items[-1] if items else None
    if last is not None and getattr(last, "text", "").startswith(("break;", "continue;", "return", "goto")):
        return
    for block in reversed(blocks):
        for storage in reversed(block):
            state.writer.line(f"free({storage.name});")


def _break(state: State, node: ast.Break) -> bool:
    ways = state.loops[-1]
    free_all(state, state.owned[ways.depth :])
    ways.breaks.append(dict(state.frame.bindings))
    if ways.flag:
        state.writer.line(f"{ways.flag} = true;")
    state.writer.line("break;")
    return False


def _continue(state: State, node: ast.Continue) -> bool:
    ways = state.loops[-1]
    free_all(state, state.owned[ways.depth :])
    ways.continues.append(dict(state.frame.bindings))
    state.writer.line("continue;")
    return False


def _return(state: State, node: ast.Return) -> bool:
    value = None if node.value is None else evaluate(state, node.value)
    state.frame.give(state, node, value)
    return False


def _expression(state: State, node: ast.Expr) -> bool:
    if isinstance(node.value, ast.Constant):
        return True
    evaluate(state, node.value)
    return True


def _assert(state: State, node: ast.Assert) -> bool:
    state.fail(node, "'assert' raises, and C has nothing to raise; leave it out, or return a value that says so")


def _raise(state: State, node: ast.Raise) -> bool:
    state.fail(node, "'raise' has no C form; return a value that says so")


def _pass(state: State, node: ast.Pass) -> bool:
    return True


#: The functions for all statements but assignments and loops.
STATEMENTS: Final[Mapping[type[ast.AST], NodeHandler]] = {
    ast.If: _if,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Return: _return,
    ast.Expr: _expression,
    ast.Assert: _assert,
    ast.Raise: _raise,
    ast.Pass: _pass,
}
