"""Functions of numbers -> functions of C, each translated once for each list of types.

In: a function and its arguments. Out: the call, and the text of the function, which stands before its callers.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from numba import types

from symbiont_jit.errors import TranslationError
from symbiont_jit.signature import Scalar, Signature
from symbiont_jit.translation.conversions import assigned
from symbiont_jit.translation.expressions import as_number
from symbiont_jit.translation.facts import MOST_ATTEMPTS, BoundNumber, Facts, Frame, RestartError
from symbiont_jit.translation.source import PythonFunction, failure_at
from symbiont_jit.translation.state import State
from symbiont_jit.translation.statements import translate_body
from symbiont_jit.translation.typing import INT64, c_name, is_number, operation, unify
from symbiont_jit.translation.values import Known, Quantity, Tuple
from symbiont_jit.translation.writer import print_block

__all__ = ["define_function"]


@dataclass(slots=True)
class _Defined:
    """A function of numbers in C: its word, what it returns, and its text."""

    word: str
    types: tuple[Any, ...]
    is_tuple: bool = False
    text: str = ""


def define_function(state: State, source: PythonFunction, called: Any, arguments: dict[str, Any]) -> Any:
    """Call a function of numbers, which becomes one of C, if it is none already; None where it is no such function."""
    if called in state.members:
        return _call_member(state.members[called], arguments)
    kept = {name: value for name, value in arguments.items() if isinstance(value, Quantity)}
    key = (
        called,
        tuple((name, str(value.type)) for name, value in kept.items()),
        tuple((name, id(value.value)) for name, value in arguments.items() if isinstance(value, Known)),
    )
    made = state.functions.get(key, "")
    if made == "":
        made = state.functions[key] = _translate_helper(state, source, called, arguments, key)
    if made is None:
        return None
    given = ", ".join(value.text for value in kept.values())
    if made.is_tuple or len(made.types) != 1:
        return _call_for_several(state, made, given)
    return Quantity(f"{made.word}({given})", made.types[0])


def _call_member(signature: Signature, arguments: dict[str, Any]) -> Quantity | None:
    """Call a function that evolves together with this one; None where it takes or gives more than numbers."""
    given = []
    for param in signature.params:
        value = arguments.get(param.name)
        if not (isinstance(value, Quantity) and isinstance(param.type, Scalar)):
            return None
        given.append(assigned(value, getattr(types, param.type.name)).text)
    if signature.returns is None:
        return None
    return Quantity(f"{signature.name}({', '.join(given)})", getattr(types, signature.returns.name))


def _call_for_several(state: State, made: _Defined, given: str) -> Tuple:
    words = []
    for typ in made.types:
        word = state.names.take(f"{made.word}_result")
        state.writer.line(f"{c_name(typ)} {word};")
        words.append(word)
    places = ", ".join([given, *(f"&{word}" for word in words)] if given else [f"&{word}" for word in words])
    state.writer.line(f"{made.word}({places});")
    return Tuple(tuple(Quantity(word, typ) for word, typ in zip(words, made.types, strict=True)))


class _NotPlainError(Exception):
    """Raised where a function returns something that is no number."""


def _translate_helper(
    state: State, source: PythonFunction, called: Any, arguments: dict[str, Any], key: Any
) -> _Defined | None:
    """Translate a function of numbers; None where it has to be written where it is called."""
    word = state.names.take(source.name)
    facts = state.helper_facts.setdefault(key, Facts())
    for _ in range(MOST_ATTEMPTS):
        try:
            made = _attempt_helper(state, source, called, arguments, key, word, facts)
        except RestartError:
            continue
        except _NotPlainError:
            return None
        if made is not None:
            return made
    raise failure_at(source, source.tree, f"{source.name} has types that never settle")


def _attempt_helper(
    state: State, source: PythonFunction, called: Any, arguments: dict[str, Any], key: Any, word: str, facts: Facts
) -> _Defined | None:
    inner = State(facts)
    inner.names = state.names.copy()
    inner.helpers, inner.functions, inner.tables = state.helpers, state.functions, state.tables
    inner.sources, inner.helper_facts, inner.define_function = state.sources, state.helper_facts, state.define_function
    inner.members = state.members
    inner.expressions, inner.statements = state.expressions, state.statements
    frame = Frame(source, (source.name,), inner.names)
    inner.frames.append(frame)
    defined = _Defined(word, ())
    kept = {name: value for name, value in arguments.items() if isinstance(value, Quantity)}
    if facts.heads.get("result"):
        known = facts.heads["result"]
        defined.types = tuple(known[name].type for name in sorted(known) if name.isdigit())
        defined.is_tuple = "tuple" in known
        state.functions[key] = defined
    elif _is_recursive(source):
        found = operation(_dispatcher_of(source, called), tuple(value.type for value in kept.values()))
        if found is not None and is_number(found.result):
            defined.types = (found.result,)
            state.functions[key] = defined
    parameters = []
    for name, value in arguments.items():
        if isinstance(value, Known):
            frame.bindings[name] = value
            continue
        parameter = frame.word(name)
        parameters.append(f"{c_name(value.type)} {parameter}")
        frame.bindings[name] = BoundNumber(value.type)
        inner.parameters.add(parameter)
    frame.give = _HelperReturns(inner, defined, facts).give
    try:
        goes_on = translate_body(inner, source.tree.body)
    except TranslationError:
        state.functions.pop(key, None)
        raise
    if goes_on and defined.types:
        raise failure_at(source, source.tree, f"{source.name} returns nothing on some way")
    if facts.used != inner.seen:
        facts.used = inner.seen
        return None
    many = defined.is_tuple or len(defined.types) != 1
    outs = [f"{c_name(typ)} *result_{number}" for number, typ in enumerate(defined.types)] if many else []
    returns = "void" if many else c_name(defined.types[0])
    lines = "\n".join(print_block(inner.writer.finish()))
    defined.text = f"static {returns} {word}({', '.join([*parameters, *outs]) or 'void'})\n{{\n{lines}\n}}\n"
    return defined


def _dispatcher_of(source: PythonFunction, called: Any) -> Any:
    """Return what Numba knows a function as: the object that its own name means."""
    return source.scope.get(source.name, called)


def _is_recursive(source: PythonFunction) -> bool:
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == source.name
        for each in ast.walk(source.tree)
    )


class _HelperReturns:
    """The `return`s of a function of numbers."""

    def __init__(self, state: State, defined: _Defined, facts: Facts) -> None:
        self._state, self._defined, self._facts = state, defined, facts

    def give(self, state: State, node: ast.Return, value: Any) -> None:
        """Write a `return`; what it returns is of one type for all of them."""
        value = Known(None) if value is None else as_number(value)
        items = value.items if isinstance(value, Tuple) else () if value == Known(None) else (value,)
        if not all(isinstance(item, Quantity) for item in items):
            raise _NotPlainError
        known = self._facts.heads.get("result", {})
        found = {}
        for number, item in enumerate(items):
            before = known.get(str(number))
            found[str(number)] = BoundNumber(item.type if before is None else unify(before.type, item.type))
        if isinstance(value, Tuple) or not items:
            found["tuple"] = BoundNumber(INT64)
        state.learn(self._facts.heads, "result", found)
        if "tuple" not in found:
            state.writer.line(f"return {assigned(items[0], found['0'].type).text};")
            return
        for number, item in enumerate(items):
            state.writer.line(f"*result_{number} = {assigned(item, found[str(number)].type).text};")
        state.writer.line("return;")
