"""Calls: functions of numbers and of arrays, methods, and other functions of the person.

In: a call. Out: what it gives. A function of numbers becomes a function of C; one of arrays is written where it is
called, so that views stay views and arrays that it returns need no copy.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.extending import is_jitted

from symbiont_jit.translation.arguments import CallArguments
from symbiont_jit.translation.arrays import materialize, may_overlap, store, whole
from symbiont_jit.translation.bindings import bind
from symbiont_jit.translation.conversions import UntranslatableError, assigned
from symbiont_jit.translation.elementwise import combine
from symbiont_jit.translation.expressions import as_array, as_number, evaluate, known
from symbiont_jit.translation.facts import BoundNumber, Frame
from symbiont_jit.translation.functions import apply_function, is_elementwise, is_scalar_function
from symbiont_jit.translation.library import FUNCTIONS, METHODS
from symbiont_jit.translation.source import PythonFunction, read_function
from symbiont_jit.translation.state import State
from symbiont_jit.translation.statements import translate_body
from symbiont_jit.translation.typing import c_name, unify
from symbiont_jit.translation.values import Grid, Known, Quantity, Tuple

__all__ = ["translate_call"]

#: How deeply functions are written into each other.
_MOST_DEPTH = 24


def translate_call(state: State, node: ast.Call) -> Any:
    """Translate a call."""
    if any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords):
        state.fail(node, "starred arguments have no C form; write them one by one")
    wanted, state.wanted = state.wanted, ""
    if isinstance(node.func, ast.Attribute):
        base = as_array(state, evaluate(state, node.func.value))
        if isinstance(base, Quantity | Grid):
            return _call_method(state, node, node.func.attr, base, wanted)
    function = evaluate(state, node.func)
    if not isinstance(function, Known):
        state.fail(node.func, "only functions can be called")
    called = function.value
    given = CallArguments(
        tuple(as_number(evaluate(state, each)) for each in node.args),
        {str(each.arg): as_number(evaluate(state, each.value)) for each in node.keywords},
    )
    state.wanted = wanted
    try:
        return _call_known(state, node, called, given)
    finally:
        state.wanted = ""


def _call_known(state: State, node: ast.Call, called: Any, given: CallArguments) -> Any:
    known = _find(FUNCTIONS, called)
    if known is not None:
        return known(state, given)
    if called in (max, min) and len(given.positional) == 1:
        items = as_array(state, given.positional[0])
        if isinstance(items, Tuple):
            given = CallArguments(items.items, {})
        elif isinstance(items, Grid) and items.rank == 1:
            return FUNCTIONS[np.max if called is max else np.min](state, CallArguments((items,), {}))
    if is_scalar_function(called) or isinstance(called, np.ufunc):
        return _apply(state, called, given)
    if _is_function(called):
        return _call_function(state, node, _unwrap(called), given)
    name = getattr(called, "__name__", repr(called))
    raise state.failure(node, f"{name} has no C form; {_advice(called)}")


def _advice(called: Any) -> str:
    if called is print:
        return "leave it out"
    module = getattr(called, "__module__", "") or ""
    return "write what it does with loops" if module.startswith("numpy") else "decorate it with @njit, or write it out"


def _find(table: Any, called: Any) -> Any:
    try:
        return table.get(called)
    except TypeError:
        return None


def _is_function(called: Any) -> bool:
    """Whether something is a function of the person, whose source says what it does."""
    module = (getattr(called, "__module__", "") or "").partition(".")[0]
    if module in ("builtins", "math", "numba", "numpy", "scipy") and not is_jitted(called):
        return False
    return is_jitted(called) or hasattr(called, "__wrapped__") or hasattr(called, "__code__")


def _unwrap(called: Any) -> Any:
    """Return the Python function of a kernel or of what Numba has compiled."""
    return getattr(called, "py_func", None) or getattr(called, "__wrapped__", called)


def _apply(state: State, called: Any, given: CallArguments) -> Any:
    """Apply a function of numbers, to each element of arrays."""
    operands = [as_array(state, each) for each in given.positional]
    extra = sorted(set(given.named) - {"out"})
    if extra:
        raise UntranslatableError(f"the argument {extra[0]!r} has no C form here")
    out = given.named.get("out")
    if isinstance(called, np.ufunc) and len(operands) > called.nin:
        *operands, out = operands
    if not all(isinstance(each, Quantity | Grid) for each in operands):
        raise UntranslatableError("it takes numbers or arrays")
    if any(isinstance(each, Grid) for each in operands):
        function = np.absolute if called is abs else called
        if not is_elementwise(function):
            raise UntranslatableError(f"{called.__name__} takes numbers; use NumPy's function for arrays")

        def compute(values: list[Quantity]) -> Quantity:
            return _apply_numbers(state, function, values, True)

        result: Any = combine(state, function, operands, compute)
    else:
        result = _apply_numbers(state, called, operands, False)
    if out is None:
        return result
    return _store_result(state, out, result)


def _apply_numbers(state: State, called: Any, values: Sequence[Quantity], quiet: bool) -> Quantity:
    kept = [
        each
        if each.is_simple or each.constant is not None or called not in (max, min, np.square)
        else state.keep(each, "each")
        for each in values
    ]
    result, helpers = apply_function(called, kept, quiet)
    state.helpers |= helpers
    return result


def _store_result(state: State, out: Any, result: Any) -> Any:
    if not isinstance(out, Grid) or not isinstance(result, Grid) or out.storage is None:
        raise UntranslatableError("what a result is written into is an array")
    if not state.may_write(out.storage):
        raise UntranslatableError(
            f"{out.storage.name!r} is only read by its declaration; declare it InOut[...] or Out[...]"
        )
    if may_overlap(out, result):
        result = whole(materialize(state, result, "values"))
    store(state, out, result)
    return out


def _call_method(state: State, node: ast.Call, name: str, base: Quantity | Grid, wanted: str) -> Any:
    given = CallArguments(
        (base, *(as_number(evaluate(state, each)) for each in node.args)),
        {str(each.arg): as_number(evaluate(state, each.value)) for each in node.keywords},
    )
    state.wanted = wanted
    if name in ("conj", "conjugate"):
        return _apply(state, np.conj, given)
    if name == "item" and isinstance(base, Quantity):
        return base
    handler = METHODS.get(name)
    if handler is None or isinstance(base, Quantity):
        state.fail(node, f".{name}() has no C form here; write what it does with loops")
    try:
        return handler(state, given)
    finally:
        state.wanted = ""


# -- functions of the person -----------------------------------------------------------------------------------------


def _call_function(state: State, node: ast.Call, called: Any, given: CallArguments) -> Any:
    if len(state.frames) > _MOST_DEPTH:
        state.fail(node, f"{called.__name__} calls itself with arrays, which has no C form; write a loop")
    function = _read(state, called)
    arguments = _arranged(state, node, function, given)
    if all(_is_plain(value) for value in arguments.values()):
        made = state.define_function(state, function, called, arguments)
        if made is not None:
            return made
    return _write_inline(state, node, function, arguments)


def _is_plain(value: Any) -> bool:
    return isinstance(value, Quantity | Known)


def _read(state: State, called: Any) -> PythonFunction:
    known = state.sources.get(called)
    if known is None:
        known = state.sources[called] = read_function(called)
    return known


def _arranged(state: State, node: ast.Call, function: PythonFunction, given: CallArguments) -> dict[str, Any]:
    """Return the arguments by the names of the parameters."""
    names = function.parameters
    if len(given.positional) > len(names):
        state.fail(node, f"{function.name} takes {len(names)} arguments, not {len(given.positional)}")
    found = dict(zip(names, given.positional, strict=False))
    for name, value in given.named.items():
        if name not in names or name in found:
            state.fail(node, f"{function.name} has no parameter {name!r} that is free")
        found[name] = value
    for name in names:
        if name not in found:
            if name not in function.defaults:
                state.fail(node, f"{function.name} needs its argument {name!r}")
            found[name] = known(function.defaults[name])
    return {name: found[name] for name in names}


def _write_inline(state: State, node: ast.Call, function: PythonFunction, arguments: dict[str, Any]) -> Any:
    """Write a function's lines where it is called."""
    caller = state.frame
    frame = Frame(function, (*caller.key, function.name, node.lineno, node.col_offset), state.names)
    state.wanted = ""
    returns = _Returns(state, function)
    frame.give = returns.give
    bound = _prepare_arguments(state, function, frame, arguments)
    state.frames.append(frame)
    loops, state.loops = state.loops, []
    for name, value in bound.items():
        if isinstance(value, Quantity) and (
            frame.stores.get(name, 0) > 1 or not (value.is_simple or value.constant is not None)
        ):
            bind(state, node, name, value)
        else:
            frame.bindings[name] = value
    frame.commented = set(function.comments) if function.comments is caller.function.comments else set()
    goes_on = translate_body(state, function.tree.body)
    found = returns.finish(goes_on)
    state.frames.pop()
    state.loops = loops
    return found


def _prepare_arguments(
    state: State, function: PythonFunction, frame: Frame, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Compute arrays that a function reads more than once before it."""
    reads: dict[str, int] = {}
    in_loop = {
        each for loop in ast.walk(function.tree) if isinstance(loop, ast.For | ast.While) for each in ast.walk(loop)
    }
    for each in ast.walk(function.tree):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            reads[each.id] = reads.get(each.id, 0) + (2 if each in in_loop else 1)
    # What the function writes to may be what the argument is computed from.
    writes = any(
        isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Store) for each in ast.walk(function.tree)
    )
    prepared = {}
    for name, value in arguments.items():
        value = as_array(state, value)
        is_lazy = isinstance(value, Grid) and value.storage is None
        if is_lazy and (writes or reads.get(name, 0) > 1 or frame.stores.get(name, 0) > 1):
            value = whole(materialize(state, value, name))
        prepared[name] = value
    return prepared


class _Returns:
    """What the `return`s of a function lead to that is written where it is called."""

    def __init__(self, state: State, function: PythonFunction) -> None:
        self._state = state
        self._last = function.tree.body[-1]
        self._function = function
        self._found: Any = Known(None)
        self._label = ""
        self._words: list[tuple[str, Any]] = []

    def give(self, state: State, node: ast.Return, value: Any) -> None:
        """Take a result; one that is not the last statement's jumps behind the function."""
        value = Known(None) if value is None else as_number(value)
        if node is self._last and not self._label:
            self._found = value
            return
        items = value.items if isinstance(value, Tuple) else (value,)
        if value == Known(None):
            items = ()
        if not all(isinstance(item, Quantity) for item in items):
            state.fail(node, f"{self._function.name} returns arrays at several places; return one at its end")
        self._leave(node, list(items), isinstance(value, Tuple))

    def _leave(self, node: ast.Return, items: list[Quantity], is_tuple: bool) -> None:
        state = self._state
        key = (state.frame.key, "return")
        if not self._label:
            self._label = state.names.take(f"end_of_{self._function.name}")
            known = state.facts.heads.get(key, {})
            for number in range(len(items)):
                bound = known.get(str(number))
                typ = bound.type if bound is not None else items[number].type
                word = state.names.take(f"{self._function.name}_result")
                state.writer.variables[word] = c_name(typ)
                self._words.append((word, typ))
            self._is_tuple = is_tuple
        if len(items) != len(self._words):
            state.fail(node, f"{self._function.name} returns different things at different places")
        for number, (item, (word, typ)) in enumerate(zip(items, self._words, strict=True)):
            common = unify(item.type, typ)
            if common != typ:
                known = dict(state.facts.heads.get(key, {}))
                known[str(number)] = BoundNumber(common)
                state.learn(state.facts.heads, key, known)
            state.writer.assign(word, assigned(item, typ).text)
        if node is not self._last:
            state.writer.line(f"goto {self._label};")

    def finish(self, goes_on: bool) -> Any:
        """Return the result."""
        if not self._label:
            return self._found
        self._state.writer.line(f"{self._label}:;")
        if goes_on and self._words:
            raise UntranslatableError(f"{self._function.name} returns nothing on some way")
        results = tuple(Quantity(word, typ) for word, typ in self._words)
        if not results:
            return Known(None)
        return Tuple(results) if self._is_tuple else results[0]
