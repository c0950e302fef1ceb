"""`for` and `while` -> loops of C.

In: a loop. Out: blocks. What is iterated over becomes an index and what it is the index of: `range`, arrays, `zip` and
`enumerate` of them, `np.ndindex`. Where the body sets the counter, or it is read later, the loop counts apart.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np

from symbiont_jit.translation.arrays import size_of
from symbiont_jit.translation.assignments import assign
from symbiont_jit.translation.bindings import bind, merge_ways, moving_key
from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, int_value
from symbiont_jit.translation.expressions import as_array, evaluate, evaluate_condition, evaluate_number
from symbiont_jit.translation.extents import ONE, ZERO, Extent, named_extent
from symbiont_jit.translation.facts import BoundNumber
from symbiont_jit.translation.liveness import assigned_names, rebound_names
from symbiont_jit.translation.scalars import negate
from symbiont_jit.translation.slicing import at_least_zero, select, shorter
from symbiont_jit.translation.state import NodeHandler, State
from symbiont_jit.translation.statements import Ways, memory, translate_body
from symbiont_jit.translation.typing import INT64, c_name, operation
from symbiont_jit.translation.values import ADDITIVE, Grid, Known, Quantity, Tuple, bracketed

__all__ = ["LOOPS"]


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Something that is iterated over: how many items there are, and each of them."""

    length: Extent
    item: Callable[[State, Quantity], Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """A `range`: its numbers, of some type."""

    start: Quantity
    stop: Quantity
    step: Quantity
    type: Any


# -- names across passes ---------------------------------------------------------------------------------------------


def _enter(state: State, node: ast.For | ast.While) -> dict[str, Any]:
    """Let names have at the head of a loop what they have at its beginning and at its end; return what that is."""
    frame = state.frame
    known = state.facts.heads.setdefault((frame.key, node.lineno, node.col_offset), {})
    live = frame.liveness.heads.get(node, frozenset())
    for name in assigned_names([node]):
        bound = frame.bindings.get(name)
        if isinstance(bound, BoundNumber) and name in known:
            frame.bindings[name] = known[name]
        elif isinstance(bound, Grid) and name in live and name in rebound_names([node]):
            key = moving_key(state, name, bound)
            if key not in state.facts.moving:
                state.learn(state.facts.moving, key, "fixed")
        elif isinstance(bound, Tuple | Quantity) and name in live and name in rebound_names([node]):
            state.fail(node, f"{name!r} is a tuple that changes in a loop; give each part a name of its own")
    return dict(frame.bindings)


def _leave(state: State, node: ast.For | ast.While, head: dict[str, Any], ends: Sequence[dict[str, Any]]) -> None:
    """Compare what names are at the end of a loop with what they were taken for at its head."""
    key = (state.frame.key, node.lineno, node.col_offset)
    known = dict(state.facts.heads.get(key, {}))
    live = state.frame.liveness.heads.get(node, frozenset())
    changed = False
    for end in ends:
        for name, bound in end.items():
            first = head.get(name)
            if name not in live or first is None or first is bound:
                continue
            common = merge_ways(state, [{name: first}, {name: bound}], [name]).get(name)
            if common is None:
                state.fail(node, f"{name!r} changes its type in the loop; give the two things names of their own")
            if isinstance(common, BoundNumber) and common != first:
                # What only sinks a little in each pass would sink for ever.
                low = common.low if common.low == getattr(first, "low", None) else None
                known[name] = BoundNumber(common.type, low)
                changed = True
    if changed:
        state.facts.heads[key] = known
        state.begin_anew()


def _run_body(state: State, node: ast.For | ast.While, ways: Ways) -> None:
    """Translate the body of a loop within its open block."""
    state.loops.append(ways)
    with memory(state):
        ways.depth = len(state.owned) - 1
        if translate_body(state, node.body):
            ways.continues.append(dict(state.frame.bindings))
    state.loops.pop()


def _finish(
    state: State, node: ast.For | ast.While, head: dict[str, Any], ways: Ways, ends_by_itself: bool = True
) -> bool:
    """Go on behind a loop, with `else` where it was not left."""
    frame = state.frame
    _leave(state, node, head, ways.continues)
    needed = frame.liveness.after.get(node, ())
    through = merge_ways(state, [head, *ways.continues], needed) if ends_by_itself else None
    if node.orelse and through is not None:
        frame.bindings = dict(through)
        with state.writer.within(f"if (!{ways.flag})") if ways.flag else state.writer.within(""):
            goes_on = translate_body(state, node.orelse)
        through = frame.bindings if goes_on else None
    outs = [*([through] if through is not None else []), *ways.breaks]
    frame.bindings = merge_ways(state, outs, needed)
    return bool(outs)


def _has_break(node: ast.For | ast.While) -> bool:
    """Whether the body leaves this loop, and not one inside."""

    def search(body: Sequence[ast.stmt]) -> bool:
        for each in body:
            if isinstance(each, ast.Break):
                return True
            if isinstance(each, ast.If) and (search(each.body) or search(each.orelse)):
                return True
            if isinstance(each, ast.For | ast.While) and search(each.orelse):
                return True
        return False

    return search(node.body)


def _flag(state: State, node: ast.For | ast.While) -> str:
    """Declare what says that a loop with an `else` was left."""
    if not (node.orelse and _has_break(node)):
        return ""
    word = state.names.take("left")
    state.writer.line(f"bool {word} = false;")
    return word


# -- while -----------------------------------------------------------------------------------------------------------


def translate_while(state: State, node: ast.While) -> bool:
    """Translate `while`; a condition that needs lines of its own is asked at the beginning of the body."""
    ways = Ways(0, flag=_flag(state, node))
    head = _enter(state, node)
    with state.writer.aside() as lines:
        condition = evaluate_condition(state, node.test)
    is_endless = condition.constant is not None and bool(condition.constant)
    if condition.constant is not None and not condition.constant:
        return translate_body(state, node.orelse)
    text = "true" if lines.items else condition.text
    with state.writer.within(f"while ({text})", True) as block:
        if lines.items:
            block.items += lines.items
            with state.writer.within(f"if ({negate(condition).text})"):
                state.writer.line("break;")
        with state.assume(node.test):
            _run_body(state, node, ways)
    return _finish(state, node, head, ways, not is_endless)


# -- for -------------------------------------------------------------------------------------------------------------


def translate_for(state: State, node: ast.For) -> bool:
    """Translate `for`."""
    found = _iterated(state, node.iter)
    if isinstance(found, Tuple):
        return _unrolled(state, node, found)
    if isinstance(found, Counted):
        return _counted(state, node, found)
    ways = Ways(0, flag=_flag(state, node))
    head = _enter(state, node)
    length = state.keep_extent(found.length, "length")
    word = state.take_loop_word(("i", "j", "k", "l"))
    index = state.loop_value(word, ZERO, length)
    with state.writer.within(f"for (int64_t {word} = 0; {word} < {int_value(length).text}; {word}++)", True):
        try:
            item = found.item(state, index)
        except UntranslatableError as error:
            state.fail(node.iter, str(error))
        assign(state, node.target, item)
        _run_body(state, node, ways)
    state.give_loop_word(word)
    return _finish(state, node, head, ways)


def _iterated(state: State, node: ast.expr) -> Counted | Sequenced | Tuple:
    """Translate what a loop goes through."""
    try:
        if isinstance(node, ast.Call):
            function = evaluate(state, node.func) if isinstance(node.func, ast.Name | ast.Attribute) else None
            made = _iterated_call(state, node, function)
            if made is not None:
                return made
        return _items_of(state, as_array(state, evaluate(state, node)))
    except UntranslatableError as error:
        state.fail(node, str(error))


def _iterated_call(state: State, node: ast.Call, function: Any) -> Counted | Sequenced | Tuple | None:
    called = function.value if isinstance(function, Known) else None
    if called in (range, numba.prange):
        return _range(state, node)
    if called is enumerate:
        return _enumerate(state, node)
    if called is zip:
        return _zip([_sequence(state, each) for each in node.args])
    if called is reversed and len(node.args) == 1:
        inner = _sequence(state, node.args[0])
        last = inner.length - ONE
        return Sequenced(inner.length, lambda s, i: inner.item(s, int_value(last - _sum(i))))
    if called is np.ndindex:
        return _ndindex(state, node)
    return None


def _sum(index: Quantity) -> Extent:
    assert index.extent is not None
    return index.extent


def _items_of(state: State, found: Any) -> Sequenced | Tuple:
    if isinstance(found, Tuple):
        return found
    if isinstance(found, Grid) and found.rank:
        return Sequenced(found.shape[0], lambda s, index: select(s, found, [index]))
    raise UntranslatableError("a loop goes through a range, an array, a tuple, zip or enumerate")


def _sequence(state: State, node: ast.expr) -> Sequenced:
    found = _iterated(state, node)
    if isinstance(found, Counted):
        if found.step.constant != 1:
            raise UntranslatableError("a range within zip, enumerate or reversed counts by one here")
        start, stop = state.as_extent(found.start, "start"), state.as_extent(found.stop, "stop")
        return Sequenced(at_least_zero(state, stop - start), lambda s, index: int_value(start + _sum(index)))
    if isinstance(found, Tuple):
        raise UntranslatableError("a tuple within zip or enumerate has no C form; use an array")
    return found


def _enumerate(state: State, node: ast.Call) -> Sequenced:
    inner = _sequence(state, node.args[0])
    given = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "start"), None)
    start = ZERO if given is None else state.as_extent(evaluate_number(state, given), "start")
    return Sequenced(inner.length, lambda s, index: Tuple((int_value(start + _sum(index)), inner.item(s, index))))


def _zip(parts: Sequence[Sequenced]) -> Sequenced:
    if not parts:
        raise UntranslatableError("zip of nothing has no C form")

    def item(state: State, index: Quantity) -> Tuple:
        return Tuple(tuple(each.item(state, index) for each in parts))

    length = parts[0].length
    for part in parts[1:]:
        length = shorter(length, part.length)
    return Sequenced(length, item)


def _ndindex(state: State, node: ast.Call) -> Sequenced:
    given: list[Any] = []
    for each in node.args:
        found = evaluate(state, each)
        given += found.items if isinstance(found, Tuple) else [found]
    shape = [state.as_extent(each, "length") for each in given]

    def item(state: State, index: Quantity) -> Tuple:
        rest: Quantity = index
        parts: list[Quantity] = []
        for length in reversed(shape[1:]):
            count = bracketed(int_value(length), 14)
            parts.append(state.keep(Quantity(f"{bracketed(rest, 13)} % {count}", INT64, 13, low=0), "at"))
            rest = Quantity(f"{bracketed(rest, 13)} / {count}", INT64, 13, low=0)
        return Tuple((state.keep(rest, "at"), *reversed(parts)))

    return Sequenced(size_of(shape), item)


def _unrolled(state: State, node: ast.For, found: Tuple) -> bool:
    """Translate the body once for each item of a tuple."""
    if _has_break(node) or node.orelse or any(isinstance(each, ast.Continue) for each in ast.walk(node)):
        state.fail(node, "a loop through a tuple has no break, continue or else here; use an array")
    for item in found.items:
        assign(state, node.target, item)
        state.frame.commented -= {line for line in state.frame.function.comments if line > node.lineno}
        if not translate_body(state, node.body):
            return False
    return True


# -- range -----------------------------------------------------------------------------------------------------------


def _range(state: State, node: ast.Call) -> Counted:
    given = [evaluate_number(state, each) for each in node.args]
    found = operation(range, tuple(each.type for each in given))
    if found is None or not 1 <= len(given) <= 3:
        raise UntranslatableError("range takes one to three whole numbers")
    typ = found.result.dtype if hasattr(found.result, "dtype") else INT64
    given = [convert(each, typ) for each in given]
    start = given[0] if len(given) > 1 else constant(0, typ)
    return Counted(start, given[min(1, len(given) - 1)], given[2] if len(given) > 2 else constant(1, typ), typ)


def _counted(state: State, node: ast.For, found: Counted) -> bool:
    """Translate a loop through a range: the counter is the name itself where the loop alone sets and reads it."""
    ways = Ways(0, flag=_flag(state, node))
    if not isinstance(node.target, ast.Name):
        state.fail(node.target, "a number cannot be unpacked")
    name = node.target.id
    changing = assigned_names(node.body) | {name}
    start, stop, step = (
        _steady(state, each, changing, what)
        for each, what in ((found.start, "start"), (found.stop, "stop"), (found.step, "step"))
    )
    head = _enter(state, node)
    bound = BoundNumber(found.type, _low_of(start, stop, step))
    is_own = name not in assigned_names(node.body) and name not in state.frame.liveness.after.get(node, ())
    is_own = is_own and name not in read_names_of_head(state, node)
    word = _own_counter(state, name) if is_own else state.names.take(f"{state.frame.word(name)}_next")
    with state.writer.within(_header(word, found.type, start, stop, step), True):
        counter = Quantity(word, found.type, low=bound.low)
        if is_own:
            extent = named_extent(word, "", bound.low) if found.type == INT64 else None
            counter = Quantity(word, found.type, extent=extent, low=bound.low)
            _note_bounds(state, word, start, stop, step)
            state.frame.bindings[name] = counter
        else:
            bind(state, node, name, counter)
        _run_body(state, node, ways)
    if is_own:
        state.give_loop_word(word)
        for end in (*ways.continues, *ways.breaks, head, state.frame.bindings):
            end.pop(name, None)
    return _finish(state, node, head, ways)


def read_names_of_head(state: State, node: ast.For) -> frozenset[str]:
    """Return what is read at the head of a loop, before its body has set it."""
    return state.frame.liveness.heads.get(node, frozenset())


def _own_counter(state: State, name: str) -> str:
    """Return a word for a counter that lives in the loop's head; loops one after the other share it."""
    key = f"{name} as counter"
    word = state.frame.words.get(key)
    if word is None or state.is_counting(word):
        word = state.names.take(name)
        state.frame.words[key] = word
    state.start_counting(word)
    return word


def _steady(state: State, value: Quantity, changing: set[str], wanted: str) -> Quantity:
    """Compute an end of a range once, unless nothing in the loop can change it."""
    if value.constant is not None or value.extent is not None:
        return value
    words = {state.frame.words.get(name, "") for name in changing}
    if value.is_simple and value.text not in words:
        return value
    return state.keep(value, wanted)


def _low_of(start: Quantity, stop: Quantity, step: Quantity) -> int | None:
    if isinstance(step.constant, int):
        if step.constant > 0:
            return start.low
        return None if stop.low is None else stop.low + 1
    return None


def _note_bounds(state: State, word: str, start: Quantity, stop: Quantity, step: Quantity) -> None:
    if isinstance(step.constant, int) and step.constant > 0:
        state.bounds.note(word, start.extent, stop.extent - ONE if stop.extent is not None else None)
    elif isinstance(step.constant, int):
        state.bounds.note(word, stop.extent + ONE if stop.extent is not None else None, start.extent)


def _header(word: str, typ: Any, start: Quantity, stop: Quantity, step: Quantity) -> str:
    """Return the head of a loop that counts."""
    first = f"{c_name(typ)} {word} = {start.text}"
    end = bracketed(stop, ADDITIVE)
    if step.constant == 1:
        return f"for ({first}; {word} < {end}; {word}++)"
    if step.constant == -1:
        return f"for ({first}; {word} > {end}; {word}--)"
    if isinstance(step.constant, int):
        if step.constant == 0:
            raise UntranslatableError("the step of a range is not zero")
        sign, change = ("<", "+=") if step.constant > 0 else (">", "-=")
        return f"for ({first}; {word} {sign} {end}; {word} {change} {abs(step.constant)})"
    return f"for ({first}; {step.text} > 0 ? {word} < {end} : {word} > {end}; {word} += {step.text})"


#: The functions for loops.
LOOPS: Final[Mapping[type[ast.AST], NodeHandler]] = {ast.For: translate_for, ast.While: translate_while}
