"""Parts of things: what brackets and dots stand for, behind arrays, tuples, records and modules.

In: a node. Out: the element, the part, the field, or what a module knows under a name.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numba import types

from symbiont_jit.translation.arrays import size_of, transpose, whole
from symbiont_jit.translation.conversions import UntranslatableError, constant, int_value
from symbiont_jit.translation.elementwise import lift
from symbiont_jit.translation.expressions import as_array, as_number, evaluate, evaluate_number, kind_of, known, operand
from symbiont_jit.translation.extents import extent_of
from symbiont_jit.translation.functions import apply_function
from symbiont_jit.translation.masks import compress
from symbiont_jit.translation.slicing import Cut, NewAxis, select
from symbiont_jit.translation.state import NodeHandler, State
from symbiont_jit.translation.tables import static_table
from symbiont_jit.translation.typing import BOOLEAN, is_complex
from symbiont_jit.translation.values import Grid, Known, Quantity, Storage, Tuple

__all__ = ["PARTS", "subscripts"]


def _subscript(state: State, node: ast.Subscript) -> Any:
    base = as_array(state, evaluate(state, node.value))
    if isinstance(base, Tuple):
        return _tuple_item(state, base, node)
    if isinstance(base, Known) and isinstance(base.value, dict):
        raise UntranslatableError("a dictionary has no C form; use an array")
    if not isinstance(base, Grid):
        state.fail(node.value, f"brackets behind {kind_of(base)} have no C form")
    items = subscripts(state, node.slice)
    if len(items) == 1 and isinstance(items[0], Grid) and items[0].dtype == BOOLEAN:
        return compress(state, base, items[0])
    return select(state, base, items)


def subscripts(state: State, node: ast.expr) -> list[Any]:
    """Translate what stands in brackets: one item for each axis."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    found: list[Any] = []
    for each in nodes:
        item = _subscript_item(state, each)
        found += item.items if isinstance(item, Tuple) else [item]
    return found


def _subscript_item(state: State, node: ast.expr) -> Any:
    if isinstance(node, ast.Slice):
        return _slice(state, node)
    item = operand(state, node)
    if isinstance(item, Known):
        if item.value is None:
            return NewAxis()
        if item.value is Ellipsis:
            return Ellipsis
    if isinstance(item, Quantity | Grid | Tuple):
        if isinstance(item, Quantity) and (item.type == BOOLEAN or not isinstance(item.type, types.Integer)):
            state.fail(node, f"an index is a whole number, not {item.type}; write int(...)")
        return item
    raise state.failure(node, f"{kind_of(item)} is no index")


def _slice(state: State, node: ast.Slice) -> Cut:
    ends = [None if each is None else _end(state, each) for each in (node.lower, node.upper)]
    step = 1
    if node.step is not None:
        found = evaluate(state, node.step)
        if not (isinstance(found, Quantity) and isinstance(found.constant, int)):
            if isinstance(found, Quantity):
                return Cut(ends[0], ends[1], 1, found)
            if not (isinstance(found, Known) and found.value is None):
                state.fail(node.step, "the step of a slice is a number")
        else:
            step = found.constant
    return Cut(ends[0], ends[1], step)


def _end(state: State, node: ast.expr) -> Quantity | None:
    found = as_number(evaluate(state, node))
    if isinstance(found, Known) and found.value is None:
        return None
    if not isinstance(found, Quantity):
        state.fail(node, f"the end of a slice is a number, not {kind_of(found)}")
    return found


def _tuple_item(state: State, base: Tuple, node: ast.Subscript) -> Any:
    if isinstance(node.slice, ast.Slice):
        cut = _slice(state, node.slice)
        ends = [None if each is None else each.constant for each in (cut.lower, cut.upper)]
        return Tuple(base.items[slice(ends[0], ends[1], cut.step)])
    index = evaluate_number(state, node.slice)
    if not isinstance(index.constant, int):
        state.fail(node.slice, "the index of a tuple is a number that stands in the text; use an array")
    if not -len(base.items) <= index.constant < len(base.items):
        state.fail(node.slice, f"there is no item {index.constant} in a tuple of {len(base.items)}")
    return base.items[index.constant]


def _attribute(state: State, node: ast.Attribute) -> Any:
    base = evaluate(state, node.value)
    if isinstance(base, Known):
        return _known_attribute(state, base.value, node)
    if isinstance(base, Grid):
        return _array_attribute(state, base, node)
    if isinstance(base, Quantity):
        if node.attr in ("real", "imag"):
            return apply_function(np.real if node.attr == "real" else np.imag, [base])[0]
        if isinstance(base.type, types.Record):
            return _field(state, base, node)
    raise state.failure(node, f".{node.attr} of {kind_of(base)} has no C form")


def _known_attribute(state: State, value: Any, node: ast.Attribute) -> Any:
    if isinstance(value, np.ndarray):
        return _array_attribute(state, static_table(state, value), node)
    if not hasattr(value, node.attr):
        state.fail(node, f"{value!r:.60} has no {node.attr!r}")
    return known(getattr(value, node.attr))


def _array_attribute(state: State, grid: Grid, node: ast.Attribute) -> Any:
    if node.attr == "shape":
        return Tuple(tuple(int_value(length) for length in grid.shape))
    if node.attr == "size":
        return int_value(size_of(grid.shape))
    if node.attr == "ndim":
        return constant(grid.rank)
    if node.attr == "T":
        return transpose(grid)
    if node.attr == "dtype":
        return Known(grid.dtype)
    if node.attr in ("real", "imag") and is_complex(grid.dtype):
        function = np.real if node.attr == "real" else np.imag
        part = grid.dtype.underlying_float
        return lift(state, part, [grid], lambda values: apply_function(function, values)[0])
    if isinstance(grid.dtype, types.Record):
        return _field_array(grid, node.attr, state, node)
    raise state.failure(node, f".{node.attr} of an array has no C form here")


def _field(state: State, base: Quantity, node: ast.Attribute) -> Any:
    """Return a field of a record: a number, or the array that a sub-array is."""
    if node.attr not in base.type.fields:
        state.fail(node, f"the record has no field {node.attr!r}; it has {', '.join(base.type.fields)}")
    typ = base.type.typeof(node.attr)
    text = f"{base.text}.{node.attr}" if not base.text.startswith("*") else f"{base.text[1:]}->{node.attr}"
    if isinstance(typ, types.NestedArray):
        shape = tuple(extent_of(length) for length in typ.shape)
        return whole(Storage(text, typ.dtype, shape))
    return Quantity(text, typ)


def _field_array(grid: Grid, name: str, state: State, node: ast.AST) -> Grid:
    if name not in grid.dtype.fields:
        state.fail(node, f"the records have no field {name!r}; they have {', '.join(grid.dtype.fields)}")
    typ = grid.dtype.typeof(name)
    if isinstance(typ, types.NestedArray):
        state.fail(node, "a sub-array of an array of records has no C form here; take one record first")

    def at(index: Any) -> Quantity:
        return Quantity(f"{grid.at(index).text}.{name}", typ)

    return Grid(typ, grid.shape, at, grid.storage, None, grid.sources())


#: The functions for brackets and dots.
PARTS: Final[Mapping[type[ast.AST], NodeHandler]] = {ast.Subscript: _subscript, ast.Attribute: _attribute}
