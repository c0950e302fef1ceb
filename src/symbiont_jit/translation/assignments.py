"""What stands on the left of `=`: names, elements, parts of arrays, fields, and rows of these.

In: a target and what it is set to. Out: lines. `+=` changes an array where it is, and sets a number anew.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from symbiont_jit.translation.arrays import for_each, materialize, may_overlap, plain_index, store, view, whole
from symbiont_jit.translation.bindings import bind, hold
from symbiont_jit.translation.conversions import UntranslatableError, assigned, constant, convert
from symbiont_jit.translation.elementwise import broadcast_to
from symbiont_jit.translation.expressions import as_array, as_number, binary, evaluate, operand
from symbiont_jit.translation.extents import ONE, ZERO
from symbiont_jit.translation.facts import BoundNumber
from symbiont_jit.translation.liveness import assigned_names
from symbiont_jit.translation.masks import store_masked
from symbiont_jit.translation.parts import subscripts
from symbiont_jit.translation.slicing import select
from symbiont_jit.translation.state import NodeHandler, State
from symbiont_jit.translation.typing import BOOLEAN, c_name
from symbiont_jit.translation.values import Grid, Known, Quantity, Tuple, Walk

__all__ = ["ASSIGNMENTS", "assign"]


def _assign(state: State, node: ast.Assign) -> bool:
    if len(node.targets) == 1 and _is_dead(state, node):
        return True
    target = node.targets[0]
    if isinstance(target, ast.Name) and len(node.targets) == 1:
        state.wanted = target.id if isinstance(node.value, ast.Call | ast.BinOp) else ""
    found = as_number(evaluate(state, node.value))
    state.wanted = ""
    if len(node.targets) > 1 and isinstance(found, Quantity) and found.constant is None and not found.is_simple:
        found = state.keep(found, "value")
    if len(node.targets) > 1 and isinstance(found, Grid) and found.storage is None:
        found = whole(materialize(state, found, "values"))
    for each in node.targets:
        assign(state, each, found)
    return True


def _is_dead(state: State, node: ast.Assign) -> bool:
    """Whether an array is made that nobody reads, as `np.empty` before the first real value."""
    target = node.targets[0]
    is_made = isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)
    is_made = is_made and node.value.func.attr in ("empty", "empty_like", "zeros", "zeros_like")  # type: ignore[attr-defined]
    return (
        is_made and isinstance(target, ast.Name) and target.id not in state.frame.liveness.after.get(node, {target.id})
    )


def assign(state: State, target: ast.expr, found: Any) -> None:
    """Set what stands on the left of `=`."""
    if isinstance(target, ast.Name):
        bind(state, target, target.id, found)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(state, target, found)
    elif isinstance(target, ast.Subscript):
        _store_item(state, target, found)
    elif isinstance(target, ast.Attribute):
        _store_field(state, target, found)
    else:
        state.fail(target, "this has no C form on the left of '='")


def _unpack(state: State, target: ast.Tuple | ast.List, found: Any) -> None:
    found = as_array(state, found)
    if isinstance(found, Grid):
        length = found.shape[0].number if found.rank else None
        if length is None:
            state.fail(target, "an array of unknown length cannot be unpacked; use indices")
        found = Tuple(tuple(as_number(select(state, found, [constant(each)])) for each in range(length)))
    if not isinstance(found, Tuple):
        state.fail(target, "only a tuple can be unpacked here")
    if len(found.items) != len(target.elts):
        state.fail(target, f"{len(found.items)} values for {len(target.elts)} names")
    items = [_keep_across(state, item, target) for item in found.items]
    for each, item in zip(target.elts, items, strict=True):
        assign(state, each, item)


def _keep_across(state: State, item: Any, target: ast.AST) -> Any:
    """Compute a number before names are set that it may be computed from."""
    if isinstance(item, Grid) and item.storage is not None and item.storage.is_moving:
        return hold(state, item)
    if not isinstance(item, Quantity) or item.constant is not None:
        return item
    names = assigned_names([target])
    words = {state.frame.words.get(name, "") for name in names} | {
        word for tagged, word in state.frame.words.items() if tagged.split(" as ")[0] in names
    }

    sets_elements = any(isinstance(each, ast.Subscript | ast.Attribute) for each in ast.walk(target))
    is_element = "[" in item.text and sets_elements
    if is_element or words & set(re.findall(r"\w+", item.text)):
        word = state.names.take("old")
        state.writer.line(f"const {c_name(item.type)} {word} = {item.text};")
        return Quantity(word, item.type, low=item.low)
    return item


def _store_item(state: State, node: ast.Subscript, found: Any) -> None:
    base = evaluate(state, node.value)
    if not isinstance(base, Grid):
        state.fail(node, "only elements of arrays can be set")
    _require_writable(state, node, base)
    items = subscripts(state, node.slice)
    found = as_array(state, found)
    if len(items) == 1 and isinstance(items[0], Grid) and items[0].dtype == BOOLEAN:
        if not isinstance(found, Quantity | Grid):
            state.fail(node, "what a mask chooses is set to numbers")
        store_masked(state, base, items[0], found)
        return
    target = select_place(state, base, items)
    _store(state, node, target, found)


def select_place(state: State, base: Grid, items: Sequence[Any]) -> Any:
    """Return the element or the part of an array that is to be set."""
    if len(items) == base.rank and all(isinstance(item, Quantity) for item in items):
        return base.at([plain_index(state, item, length) for item, length in zip(items, base.shape, strict=True)])
    return select(state, base, items)


def _require_writable(state: State, node: ast.AST, base: Grid) -> None:
    if base.storage is None:
        state.fail(node, "this array is an expression; give it a name before elements of it are set")
    if not state.may_write(base.storage):
        state.fail(node, f"{base.storage.name!r} is only read by its declaration; declare it InOut[...] or Out[...]")


def _store(state: State, node: ast.AST, target: Any, found: Any) -> None:
    if isinstance(found, Known | Tuple):
        if isinstance(found, Tuple) and isinstance(target, Grid) and target.rank == 1:
            _store_tuple(state, target, found)
            return
        state.fail(node, "an element is set to a number or an array")
    if isinstance(target, Quantity):
        value = as_number(found)
        if not isinstance(value, Quantity):
            state.fail(node, "an element is set to a number, not to an array")
        state.writer.line(f"{target.text} = {assigned(value, target.type).text};")
        return
    if isinstance(found, Quantity):
        value = found if found.is_simple or found.constant is not None else state.keep(found, "value")

        def body(index: Sequence[Quantity]) -> None:
            state.writer.line(f"{target.at(index).text} = {assigned(value, target.dtype).text};")

        for_each(state, target.shape, body)
        return
    if found.rank > target.rank:
        found = _without_units(state, node, found, target.rank)
    if found.shape != target.shape:
        found = broadcast_to(state, _fitting(state, node, found, target), target.shape)
    if may_overlap(target, found):
        found = whole(materialize(state, found, "values"))
    if found.fill == "nothing":
        return
    store(state, target, found)


def _store_tuple(state: State, target: Grid, found: Tuple) -> None:
    for number, item in enumerate(found.items):
        if not isinstance(item, Quantity):
            raise UntranslatableError("an array is set to numbers")
        place = target.at([constant(number)])
        state.writer.line(f"{place.text} = {assigned(item, target.dtype).text};")


def _without_units(state: State, node: ast.AST, found: Grid, rank: int) -> Grid:
    extra = found.rank - rank
    if any(length != ONE for length in found.shape[:extra]):
        state.fail(node, f"an array of {found.rank} axes does not fit into {rank}")
    places = [Walk(ZERO)] * extra + [Walk(ZERO, axis) for axis in range(rank)]
    return view(found, places, found.shape[extra:])


def _fitting(state: State, node: ast.AST, found: Grid, target: Grid) -> Grid:
    """Refuse lengths that never fit."""
    for have, want in zip(reversed(found.shape), reversed(target.shape), strict=False):
        if have.number is not None and want.number is not None and have.number not in (1, want.number):
            state.fail(node, f"shapes do not fit: {have.c} into {want.c}")
    return found


def _store_field(state: State, node: ast.Attribute, found: Any) -> None:
    place = evaluate(state, node)
    if isinstance(place, Grid):
        _store(state, node, place, found)
        return
    if not (isinstance(place, Quantity) and isinstance(found, Quantity)):
        state.fail(node, "a field is set to a number")
    state.writer.line(f"{place.text} = {assigned(found, place.type).text};")


def _assign_annotated(state: State, node: ast.AnnAssign) -> bool:
    if node.value is not None:
        assign(state, node.target, as_number(evaluate(state, node.value)))
    return True


_SHORT: Final = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*="}


def _assign_augmented(state: State, node: ast.AugAssign) -> bool:
    if isinstance(node.target, ast.Name):
        bound = state.frame.bindings.get(node.target.id)
        left = evaluate(state, ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
        if isinstance(bound, Grid):
            _change_array(state, node, bound)
            return True
        right = operand(state, node.value)
        result = binary(state, type(node.op), left, right)
        _write_augmented(state, node, left, right, result)
        return True
    if isinstance(node.target, ast.Subscript):
        _change_item(state, node, node.target)
        return True
    place = evaluate(
        state, ast.copy_location(ast.Attribute(node.target.value, node.target.attr, ast.Load()), node.target)
    )
    _change_place(state, node, place)
    return True


def _write_augmented(state: State, node: ast.AugAssign, left: Any, right: Any, result: Any) -> None:
    """Write `x += y` as such where C means the same by it."""
    assert isinstance(node.target, ast.Name)
    name = node.target.id
    used = state.facts.used.get((state.frame.key, name), set())
    sign = _SHORT.get(type(node.op))
    is_plain = isinstance(left, Quantity) and isinstance(right, Quantity) and isinstance(result, Quantity)
    if sign and is_plain and left.type == result.type and used <= {left.type} and left.text.isidentifier():
        state.writer.line(f"{left.text} {sign} {convert(right, left.type).text};")
        state.frame.bindings[name] = BoundNumber(result.type, result.low)
        return
    bind(state, node, name, result)


def _change_item(state: State, node: ast.AugAssign, target: ast.Subscript) -> None:
    base = evaluate(state, target.value)
    if not isinstance(base, Grid):
        state.fail(target, "only elements of arrays can be changed")
    _require_writable(state, target, base)
    items = subscripts(state, target.slice)
    if len(items) == 1 and isinstance(items[0], Grid) and items[0].dtype == BOOLEAN:
        state.fail(target, "a masked array is set, not changed; write np.where")
    place = select_place(state, base, items)
    if isinstance(place, Quantity):
        _change_place(state, node, place)
    else:
        _change_array(state, node, place)


def _change_place(state: State, node: ast.AugAssign, place: Any) -> None:
    if not isinstance(place, Quantity):
        _change_array(state, node, place)
        return
    right = as_number(operand(state, node.value))
    if not isinstance(right, Quantity):
        state.fail(node, "an element is changed by a number")
    result = binary(state, type(node.op), place, right)
    sign = _SHORT.get(type(node.op))
    if sign and result.type == place.type:
        state.writer.line(f"{place.text} {sign} {convert(right, place.type).text};")
        return
    state.writer.line(f"{place.text} = {assigned(result, place.type).text};")


def _change_array(state: State, node: ast.AugAssign, target: Grid) -> None:
    """Change the elements of an array where they are."""
    _require_writable(state, node, target)
    right = operand(state, node.value)
    if isinstance(right, Grid) and may_overlap(target, right):
        right = whole(materialize(state, right, "values"))
    if isinstance(right, Grid):
        right = _fitting(state, node, right, target)
        if right.shape != target.shape:
            right = broadcast_to(state, right, target.shape)
    elif isinstance(right, Quantity) and not right.is_simple and right.constant is None:
        right = state.keep(right, "factor")
    sign = _SHORT.get(type(node.op))

    def body(index: Sequence[Quantity]) -> None:
        place = target.at(index)
        with state.quietly():
            given = convert(right.at(index), right.dtype) if isinstance(right, Grid) else right
            result = binary(state, type(node.op), place, given)
        if sign and result.type == place.type:
            state.writer.line(f"{place.text} {sign} {convert(given, place.type).text};")
            return
        state.writer.line(f"{place.text} = {assigned(result, place.type).text};")

    for_each(state, target.shape, body)


#: The functions for assignments.
ASSIGNMENTS: Final[Mapping[type[ast.AST], NodeHandler]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _assign_annotated,
    ast.AugAssign: _assign_augmented,
}
