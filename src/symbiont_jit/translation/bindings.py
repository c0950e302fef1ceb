"""Names that lead to something: a number, an array, a row of things; and what two ways of a program have in common.

In: a name and what it is set to. Out: lines and bindings. A name that leads to one array after the other, across the
passes of a loop or the ways of an `if`, is a pointer in C; all others are the memory itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbiont_jit.translation.arrays import apart, at_places, materialize, may_overlap, store, whole
from symbiont_jit.translation.conversions import UntranslatableError, int_value
from symbiont_jit.translation.extents import Extent, named_extent
from symbiont_jit.translation.facts import BoundNumber
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import c_name, is_number, unify
from symbiont_jit.translation.values import Grid, Known, Quantity, Storage, Tuple

__all__ = ["bind", "common_binding", "hold", "merge_ways", "moving_key"]

Bindings = Mapping[str, Any]


def bind(state: State, node: ast.AST, name: str, found: Any) -> None:
    """Set a name of the function."""
    try:
        if isinstance(found, Quantity):
            state.write(name, found)
        elif isinstance(found, Grid):
            _bind_array(state, name, found)
        elif isinstance(found, Tuple):
            state.frame.bindings[name] = Tuple(tuple(_keep_item(state, name, item) for item in found.items))
        else:
            state.frame.bindings[name] = found
    except UntranslatableError as error:
        state.fail(node, str(error))


def _keep_item(state: State, name: str, item: Any) -> Any:
    if isinstance(item, Quantity):
        return state.keep(item, name) if item.extent is None and item.constant is None else item
    if isinstance(item, Grid) and item.storage is None:
        return whole(materialize(state, item, name))
    return Tuple(tuple(_keep_item(state, name, each) for each in item.items)) if isinstance(item, Tuple) else item


# -- arrays ----------------------------------------------------------------------------------------------------------


def _bind_array(state: State, name: str, grid: Grid) -> None:
    if moving_key(state, name, grid) in state.facts.moving:
        state.frame.bindings[name] = _move(state, name, grid)
        return
    key = (state.frame.key, name)
    if grid.storage is None:
        output = state.facts.outputs.get((*key, _count_binding(state, name)))
        made = state.output(output, grid) if output else materialize(state, grid, name)
        if output and not grid.fill:
            store(state, whole(made), grid)
        state.frame.bindings[name] = whole(made)
        state.origins[made] = (*key, _count_binding(state, name, False))
        if len(state.writer.open_blocks) == 1:
            state.made_at_top.add(made)
        return
    if grid.storage.is_moving:
        grid = _stay(state, name, grid)
    state.frame.bindings[name] = grid


def moving_key(state: State, name: str, grid: Grid) -> tuple[Any, ...]:
    """Return what a pointer is known by: a name that leads to arrays of several types is several pointers."""
    return state.frame.key, name, grid.rank, str(grid.dtype)


def _count_binding(state: State, name: str, counts: bool = True) -> int:
    """Return the number of a binding of a name in its function, so that it can be told from the others."""
    key = (state.frame.key, name)
    if counts:
        state.counts[key] = state.counts.get(key, 0) + 1
    return state.counts[key]


def hold(state: State, grid: Grid) -> Grid:
    """Return the memory that a name leads to now, for another name that is about to lead there."""
    return replace(grid, storage=_point(state, grid, "old"))


def _stay(state: State, name: str, grid: Grid) -> Grid:
    """Return the same elements of memory that a name leads to now, and perhaps not later."""
    if grid.places is None:
        raise UntranslatableError("a view of an array that is replaced in a loop has no C form; copy it")
    stays = replace(_point(state, grid, f"{name}_now"), is_moving=False)
    return at_places(stays, grid.places, grid.shape)


def _point(state: State, grid: Grid, wanted: str) -> Storage:
    """Write the line that keeps where an array is now, and return the same memory by that name."""
    storage = grid.storage
    assert storage is not None
    _share(state, storage)
    word = state.names.take(wanted)
    const = "const " if storage.is_const else ""
    state.writer.line(f"{const}{c_name(storage.dtype)} *{word} = {storage.name};")
    return replace(storage, name=word, base=storage)


def _share(state: State, storage: Storage) -> None:
    """Note that several names lead to a memory, which therefore is never given back early."""
    for key, known in state.moving.items():
        if known is storage and key not in state.facts.shared:
            state.facts.shared.add(key)
            state.begin_anew()


def _move(state: State, name: str, grid: Grid) -> Grid:
    """Let a name that leads to several arrays lead to this one."""
    key = moving_key(state, name, grid)
    known = state.moving.get(key)
    if known is None:
        known = state.moving[key] = _make_moving(state, name, grid)
    elif state.facts.moving[key] == "fixed" and not _fits(state, known.shape, grid.shape):
        state.learn(state.facts.moving, key, "flexible")
    target = whole(known)
    bound = state.frame.bindings.get(name)
    has_memory = isinstance(bound, Grid) and bound.storage is known
    is_shared = key in state.facts.shared
    if grid.storage is None:
        _move_to_new(state, name, target, grid, has_memory and not is_shared)
    elif grid.storage is not known:
        _move_to_other(state, name, grid, known)
    elif not grid.is_whole:
        _move_to_new(state, name, target, apart(grid), has_memory and not is_shared)
    if state.facts.moving[key] == "flexible":
        for axis, length in enumerate(grid.shape):
            state.writer.assign(known.shape[axis].c, int_value(length).text)
    return target


def _fits(state: State, known: Sequence[Extent], shape: Sequence[Extent]) -> bool:
    """Whether an array is as long as those that a name has led to before."""
    return all(state.same(one, other) or state.unite(one, other) for one, other in zip(known, shape, strict=True))


def _make_moving(state: State, name: str, grid: Grid) -> Storage:
    """Make the pointer that a name is."""
    key = moving_key(state, name, grid)
    is_early = all(state.is_early(length) for length in grid.shape)
    if state.facts.moving[key] == "fixed" and not is_early:
        state.learn(state.facts.moving, key, "flexible")
    word = state.frame.word(name if grid.rank == 1 else f"{name} of {grid.rank}")
    is_const = state.facts.read_only.get(key, grid.storage is not None and grid.storage.is_const)
    state.writer.variables[word] = f"{'const ' if is_const else ''}{c_name(grid.dtype)} *@"
    shape = grid.shape
    if state.facts.moving[key] == "flexible":
        words = [state.names.take(f"{word}_{axis}") for axis in range(grid.rank)]
        for each in words:
            state.writer.variables[each] = "int64_t"
            state.changing.add(each)
        shape = tuple(named_extent(each, "", 0) for each in words)
    is_shared = key in state.facts.shared
    return Storage(word, grid.dtype, shape, grid.rank > 1, is_const, is_moving=True, is_shared=is_shared)


def _move_to_new(state: State, name: str, target: Grid, grid: Grid, is_sole: bool) -> None:
    """Compute elements in place where nobody else has the memory and the lengths are the same; else in new memory."""
    known = target.storage
    assert known is not None
    if is_sole and not grid.fill and known.shape == grid.shape and not may_overlap(target, grid):
        store(state, target, grid)
        return
    made = materialize(state, grid, f"{name}_next")
    state.disown(made)
    if is_sole:
        state.writer.line(f"free({known.name});")
    state.writer.assign(known.name, _first_element(made))


def _first_element(storage: Storage) -> str:
    """Return the address of a memory's first element."""
    if storage.is_flat or len(storage.shape) <= 1:
        return storage.name
    return f"&{storage.name}{'[0]' * len(storage.shape)}"


def _move_to_other(state: State, name: str, grid: Grid, known: Storage) -> None:
    storage = grid.storage
    assert storage is not None
    if not grid.is_whole:
        raise UntranslatableError("a part of an array that is replaced in a loop has no C form; copy it with .copy()")
    if not known.is_const and not state.may_write(storage.root):
        state.learn(state.facts.read_only, moving_key(state, name, grid), True)
    _share(state, storage)
    _share(state, known)
    state.disown(storage)
    state.writer.assign(known.name, _first_element(storage))


# -- two ways --------------------------------------------------------------------------------------------------------


def common_binding(state: State, name: str, one: Any, other: Any) -> Any:
    """Return what a name is after two ways that set it differently; None where it can be used no more."""
    if one is None or other is None or one is other:
        return other if one is None else one
    if isinstance(one, BoundNumber) and isinstance(other, BoundNumber):
        typ = unify(one.type, other.type)
        lows = one.low, other.low
        low = None if lows[0] is None or lows[1] is None else min(lows[0], lows[1])
        return BoundNumber(typ, low) if is_number(typ) else None
    if isinstance(one, Grid) and isinstance(other, Grid):
        if one.storage is not None and one.storage is other.storage and one.places == other.places:
            return one
        key = moving_key(state, name, one)
        if key != moving_key(state, name, other):
            return None
        if key not in state.facts.moving:
            state.learn(state.facts.moving, key, "fixed")
        return one
    if isinstance(one, Known) and isinstance(other, Known) and one.value == other.value:
        return one
    return None


def merge_ways(state: State, ways: Iterable[Bindings], needed: Iterable[str]) -> dict[str, Any]:
    """Return what names are after several ways; names that are not needed any more are what they are on the first."""
    ways = list(ways)
    if not ways:
        return {}
    wanted = set(needed)
    merged = dict(ways[0])
    for way in ways[1:]:
        for name, bound in way.items():
            if name in wanted or isinstance(bound, BoundNumber):
                found = common_binding(state, name, merged.get(name), bound)
                if found is None:
                    merged.pop(name, None)
                else:
                    merged[name] = found
    return merged
