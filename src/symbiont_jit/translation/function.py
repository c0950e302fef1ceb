"""A function and its signature -> its C, in as many attempts as there are things to learn.

In: a Python function and the types of its parameters. Out: a `Translation`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from numba import types
from numba.np import numpy_support

from symbiont_jit.errors import TranslationError
from symbiont_jit.signature import ArrayType, Mode, Param, Record, Results, Signature
from symbiont_jit.signature import Scalar as DeclaredScalar
from symbiont_jit.translation.arrays import store, whole
from symbiont_jit.translation.assignments import ASSIGNMENTS
from symbiont_jit.translation.calls import translate_call
from symbiont_jit.translation.conversions import UntranslatableError, assigned
from symbiont_jit.translation.creation import zeros_like
from symbiont_jit.translation.definitions import define_function
from symbiont_jit.translation.expressions import EXPRESSIONS, as_array, as_number, known
from symbiont_jit.translation.extents import Extent, extent_of, named_extent
from symbiont_jit.translation.facts import MOST_ATTEMPTS, BoundNumber, Facts, Frame, RestartError
from symbiont_jit.translation.helpers import define_helpers
from symbiont_jit.translation.loops import LOOPS
from symbiont_jit.translation.parts import PARTS
from symbiont_jit.translation.source import PythonFunction, failure_at, read_function
from symbiont_jit.translation.state import State
from symbiont_jit.translation.statements import STATEMENTS, translate_body
from symbiont_jit.translation.typing import declared_scalar, is_integer, unify
from symbiont_jit.translation.values import Grid, Known, Quantity, Storage, Tuple
from symbiont_jit.translation.writer import print_block

__all__ = ["Translation", "print_together", "translate_function"]


@dataclass(frozen=True, slots=True)
class ReturnedPart:
    """One thing that the Python function returns and the C function writes into a buffer.

    `lengths` are Python texts, in the names of the C function's parameters; a number has none.
    """

    name: str
    dtype: DeclaredScalar
    lengths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Translation:
    """The C of a Python function.

    Attributes:
        definitions: What the C text defines, each in the text of its own, and the function itself last.
        signature: The signature of the C function: that of the Python function, and its results as `Out` parameters.
    """

    definitions: tuple[str, ...]
    signature: Signature

    @property
    def text(self) -> str:
        """The C text."""
        return print_together([self])


def print_together(functions: Sequence[Translation]) -> str:
    """Print the C of several functions as one text, in which what they have in common is defined once.

    Raises:
        TranslationError: Two of them define different things of one name.
    """
    definitions = list(dict.fromkeys(text for made in functions for text in made.definitions))
    times = Counter(name for text in definitions for name in _DEFINED.findall(text))
    for name, count in times.items():
        if count > 1:
            raise TranslationError(f"several of these functions define {name} in C; give what they call other names")
    text = "\n".join(definitions)
    ahead = [made.signature for made in functions if _is_called_ahead(made, text)]
    prototypes = "".join(f"{signature.c_prototype};\n" for signature in ahead)
    return _includes(text) + (f"{prototypes}\n" if ahead else "") + text


def _is_called_ahead(made: Translation, text: str) -> bool:
    """Whether a function is called in a text before the place where it is defined."""
    before = text[: text.index(made.definitions[-1])]
    return re.search(rf"\b{made.signature.name}\(", before) is not None


def translate_function(
    function: Any, signature: Signature, is_declared: bool = True, members: Mapping[Any, Signature] | None = None
) -> Translation:
    """Translate a function into C.

    Args:
        function: A Python function, or one that Numba has compiled.
        signature: The types of its parameters.
        is_declared: Whether somebody has named the dimensions: lengths with different names may differ then.
        members: Functions that the same text defines besides, with their signatures; they are called by their names.

    Raises:
        TranslationError: Something in it has no C form; the error names the line.
    """
    task = _TranslationTask(read_function(function), signature, is_declared, members or {})
    try:
        return _translate(task, Facts())
    except _UnknownLengthError:
        if is_declared:
            raise
        # Arguments whose lengths nobody has declared are mostly of one length where they meet.
        return _translate(task, Facts(unites=True))


@dataclass(frozen=True, slots=True)
class _TranslationTask:
    """What is to be translated; the fields are the arguments of `translate_function`."""

    source: PythonFunction
    signature: Signature
    is_declared: bool
    members: Mapping[Any, Signature]


class _UnknownLengthError(TranslationError):
    """Raised where no caller knows how long a result is."""


def _translate(task: _TranslationTask, facts: Facts) -> Translation:
    source = task.source
    for _ in range(MOST_ATTEMPTS):
        attempt = _TranslationAttempt(task, facts)
        try:
            made = attempt.run()
        except RestartError:
            continue
        except RecursionError as error:
            raise TranslationError(f"{source.name} is nested too deeply", source.file, source.first_line) from error
        if facts.used == attempt.state.seen:
            return made
        facts.used = attempt.state.seen
    raise TranslationError(
        f"{source.name} has types that never settle; give things names of their own", source.file, source.first_line
    )


class _TranslationAttempt:
    """One pass over a function, with what has been learnt before."""

    def __init__(self, task: _TranslationTask, facts: Facts) -> None:
        self.source = task.source
        self.signature = task.signature
        self.is_declared = task.is_declared
        self.state = State(facts)
        self.state.members = task.members
        self.state.define_function = define_function
        self.state.expressions = {**EXPRESSIONS, **PARTS, ast.Call: translate_call}
        self.state.statements = {**STATEMENTS, **ASSIGNMENTS, **LOOPS}
        self.state.output = self.output
        self.results: list[ReturnedPart] = []
        self.returned: Any = None
        self.returns_tuple = False
        self.has_returned = False

    def run(self) -> Translation:
        """Translate the body and print the whole."""
        state = self.state
        for signature in (self.signature, *state.members.values()):
            state.names.reserve(signature.name)
        for word in ("floor_div", "floor_mod", "greatest_divisor", "malloc", "calloc", "free"):
            state.names.reserve(word)
        frame = Frame(self.source, (), state.names)
        for word in state.facts.result_names.values():
            state.names.reserve(word)
        frame.give = self.give
        state.frames.append(frame)
        self._bind_parameters(frame)
        document = ast.get_docstring(self.source.tree)
        frame.commented |= {line for line in self.source.comments if line < self.source.tree.lineno}
        translate_body(state, self.source.tree.body)
        return self._finish(document)

    # -- parameters --------------------------------------------------------------------------------------------------

    def _bind_parameters(self, frame: Frame) -> None:
        state = self.state
        for dimension in self.signature.dimensions:
            state.names.reserve(dimension)
            state.early.add(dimension)
            state.known_to_callers.add(dimension)
        params = {param.name: param for param in self.signature.params}
        if set(params) - set(self.source.parameters):
            raise failure_at(self.source, self.source.tree, "the signature has other parameters")
        for name in self.source.parameters:
            if name in params:
                self._bind_parameter(frame, name, params[name])
            elif name in self.source.defaults:
                self._bind_default(frame, name)
            else:
                raise failure_at(self.source, self.source.tree, f"the parameter {name!r} has no type")

    def _bind_parameter(self, frame: Frame, name: str, param: Param) -> None:
        state = self.state
        state.names.reserve(param.name)
        frame.words[name] = param.name
        if isinstance(param.type, DeclaredScalar):
            typ = getattr(types, param.type.name)
            if frame.is_stable(name):
                state.early.add(param.name)
                state.known_to_callers.add(param.name)
            frame.bindings[name] = BoundNumber(typ, 0 if is_integer(typ) and not typ.signed else None)
            state.parameters.add(param.name)
            return
        dtype = _numba_dtype(param.type.dtype)
        is_const = param.mode is Mode.IN
        if not self.is_declared:
            state.undeclared.add(param.name)
            is_const = not state.facts.written.get(param.name)
        if not param.type.dims:
            if isinstance(dtype, types.Record):
                frame.bindings[name] = Quantity(f"*{param.name}", dtype)
                return
            frame.bindings[name] = whole(Storage(param.name, dtype, (extent_of(1),), is_const=is_const))
            return
        shape = tuple(_dimension(each, state.facts.equal) for each in param.type.dims)
        for length in shape:
            state.lengths[length.c] = state.lengths.get(length.c, frozenset()) | {param.name}
        frame.bindings[name] = whole(Storage(param.name, dtype, shape, is_const=is_const))

    def _bind_default(self, frame: Frame, name: str) -> None:
        """Let a parameter that no caller passes be its default."""
        value = known(self.source.defaults[name])
        if isinstance(value, Quantity) and frame.stores.get(name, 0) > 1:
            self.state.write(name, value)
        else:
            frame.bindings[name] = value

    # -- results -----------------------------------------------------------------------------------------------------

    def output(self, name: str, grid: Grid) -> Storage:
        """Make an array in the buffer that it is returned in."""
        made = Storage(name, grid.dtype, grid.shape)
        if grid.fill == "zeros":
            store(self.state, whole(made), zeros_like(grid))
        self.state.outputs[made] = name
        return made

    def give(self, state: State, node: ast.Return, value: Any) -> None:
        """Translate a `return` of the function itself."""
        try:
            self._give(state, node, value)
        except UntranslatableError as error:
            state.fail(node, str(error))

    def _give(self, state: State, node: ast.Return, value: Any) -> None:
        value = as_array(state, as_number(value)) if value is not None else Known(None)
        if isinstance(value, Quantity):
            self._give_number(state, node, value)
            return
        if isinstance(value, Known):
            if value.value is not None:
                state.fail(node, "only numbers and arrays can be returned")
            state.writer.line("return;")
            return
        items = value.items if isinstance(value, Tuple) else (value,)
        self._give_results(state, node, [as_array(state, item) for item in items], isinstance(value, Tuple))

    def _give_number(self, state: State, node: ast.Return, value: Quantity) -> None:
        if self.results:
            state.fail(node, "numbers and arrays are returned at different places")
        declared = self.signature.returns
        key = ((), "return")
        known = state.facts.heads.get(key, {}).get("0")
        typ = getattr(types, declared.name) if declared is not None else known.type if known is not None else value.type
        if declared is None:
            common = unify(value.type, typ)
            if common != typ:
                state.learn(state.facts.heads, key, {"0": BoundNumber(common)})
        self.returned = typ
        state.writer.line(f"return {assigned(value, typ).text};")

    def _give_results(self, state: State, node: ast.Return, items: list[Any], is_tuple: bool) -> None:
        if self.returned is not None:
            state.fail(node, "numbers and arrays are returned at different places")
        if self.results and len(self.results) != len(items):
            state.fail(node, "different things are returned at different places")
        self.returns_tuple = is_tuple
        made = [self._give_result(state, node, index, item) for index, item in enumerate(items)]
        self.results = self.results or made
        if self.has_returned or node is not self.source.tree.body[-1]:
            state.writer.line("return;")
        self.has_returned = True

    def _give_result(self, state: State, node: ast.Return, index: int, item: Any) -> ReturnedPart:
        """Write one result into its buffer, unless it is there already."""
        if isinstance(item, Quantity):
            name = self._result_name(state, index, node, item)
            state.writer.line(f"*{name} = {assigned(item, item.type).text};")
            return self._note_result(name, item.type, ())
        if not isinstance(item, Grid):
            state.fail(node, "only numbers and arrays can be returned")
        if self.results:
            state.fail(node, "arrays are returned at several places; return them at one, at the end")
        if any(length.depends_on_data for length in item.shape):
            message = (
                "the length of this result depends on data, so no caller can make room for it; write into an array "
                "that is passed as an argument, and return how much of it counts"
            )
            raise _UnknownLengthError(*state.failure(node, message).args)
        name = self._result_name(state, index, node, item)
        if item.storage is not None and state.outputs.get(item.storage) == name and item.is_whole:
            return self._note_result(name, item.dtype, item.shape)
        origin = state.origins.get(item.storage) if item.storage is not None else None
        if origin is not None and item.is_whole and origin not in state.facts.outputs and self._is_at_top(item):
            state.learn(state.facts.outputs, origin, name)
        if item.fill != "nothing":
            store(state, whole(Storage(name, item.dtype, item.shape)), item)
        return self._note_result(name, item.dtype, item.shape)

    def _is_at_top(self, item: Grid) -> bool:
        """Whether an array is made exactly once, with lengths that are known by then."""
        return item.storage is not None and item.storage in self.state.made_at_top

    def _result_name(self, state: State, index: int, node: ast.Return, item: Any) -> str:
        key = ("result", index)
        word = state.frame.words.get(str(key))
        if word is None:
            wanted = "result"
            value = node.value
            parts = value.elts if isinstance(value, ast.Tuple) else [value]
            if index < len(parts) and isinstance(parts[index], ast.Name):
                wanted = f"{parts[index].id}{'_out' if isinstance(item, Quantity) else ''}"  # type: ignore[union-attr]
            known = state.facts.result_names.get(index)
            word = known if known is not None else self._fresh_result(state, index, wanted)
            state.frame.words[str(key)] = word
        return word

    def _fresh_result(self, state: State, index: int, wanted: str) -> str:
        taken = {param.name for param in self.signature.params} | set(self.signature.dimensions) | {self.signature.name}
        word = wanted if wanted not in taken and wanted not in state.facts.result_names.values() else f"{wanted}_out"
        while word in taken or word in state.names.RESERVED or word in state.facts.result_names.values():
            word += "_"
        state.facts.result_names[index] = word
        raise RestartError

    def _note_result(self, name: str, dtype: Any, shape: tuple[Extent, ...]) -> ReturnedPart:
        return ReturnedPart(name, declared_scalar(dtype), tuple(length.python for length in shape))

    # -- the whole ---------------------------------------------------------------------------------------------------

    def _finish(self, document: str | None) -> Translation:
        state = self.state
        root = state.writer.finish()
        signature = self._signature()
        parts = []
        if state.tables:
            parts.append("\n".join(text for _, text in state.tables.values()) + "\n")
        functions = [made.text for made in state.functions.values() if made is not None]
        parts += define_helpers(state.helpers)
        parts += functions
        comment = "".join(
            f" * {line}".rstrip() + "\n"
            for line in (document or "").replace("*/", "* /").replace("\\", "/").splitlines()
        )
        head = f"/*\n{comment} */\n" if document else ""
        body = "\n".join(print_block(root))
        parts.append(f"{head}{signature.c_prototype}\n{{\n{body}\n}}\n")
        return Translation(tuple(parts), signature)

    def _signature(self) -> Signature:
        """Return the signature in C: results are `Out` parameters behind the others."""
        params = [_renamed(self._with_mode(param), self.state.facts.equal) for param in self.signature.params]
        returns = self.signature.returns
        if self.returned is not None:
            returns = declared_scalar(self.returned)
        for result in self.results:
            dims = tuple(self._result_dimension(result, axis, text) for axis, text in enumerate(result.lengths))
            params.append(Param(result.name, ArrayType(result.dtype, dims), Mode.OUT))
        if not self.results:
            return replace(self.signature, params=tuple(params), returns=returns)
        results = Results(tuple(result.lengths for result in self.results), self.returns_tuple)
        return replace(self.signature, params=tuple(params), returns=None, results=results)

    def _with_mode(self, param: Param) -> Param:
        """Say of an array whether it is written, where nobody has declared it."""
        if self.is_declared or isinstance(param.type, DeclaredScalar):
            return param
        return replace(param, mode=Mode.INOUT if self.state.facts.written.get(param.name) else Mode.IN)

    def _result_dimension(self, result: ReturnedPart, axis: int, text: str) -> Any:
        if text.isdigit():
            return int(text)
        dimensions = {_representative(each, self.state.facts.equal) for each in self.signature.dimensions}
        return text if text in dimensions else f"{result.name}_{axis}"


def _numba_dtype(element: Any) -> Any:
    if isinstance(element, Record):
        return numpy_support.from_dtype(element.dtype)
    return getattr(types, element.name)


def _renamed(param: Param, equal: Mapping[str, str]) -> Param:
    if not isinstance(param.type, ArrayType):
        return param
    dims = tuple(_representative(each, equal) if isinstance(each, str) else each for each in param.type.dims)
    return replace(param, type=replace(param.type, dims=dims))


def _representative(dimension: str, equal: Mapping[str, str]) -> str:
    while dimension in equal:
        dimension = equal[dimension]
    return dimension


def _dimension(dimension: Any, equal: Mapping[str, str]) -> Extent:
    if isinstance(dimension, int):
        return extent_of(dimension)
    word = _representative(dimension, equal)
    return named_extent(word, word, 0)


#: The name behind the type at the beginning of a definition outside of functions.
_DEFINED: Final = re.compile(r"(?m)^[a-z][\w *]*?(\w+)(?=\(|\[|\s*=)")
_HEADERS: Final = {
    "complex.h": r"_Complex|CMPLX",
    "math.h": r"\b(?:sqrt|exp|log|sin|cos|tan|pow|f(?:abs|loor|mod)|ceil|trunc|rint|hypot|atan2|NAN|INFINITY|isnan)",
    "stdbool.h": r"\bbool\b",
    "stdlib.h": r"\b(?:malloc|calloc|free|abs|labs)\b",
}


def _includes(text: str) -> str:
    """Return the headers that a text would need anywhere else."""
    headers = [name for name, pattern in _HEADERS.items() if re.search(pattern, text)]
    lines = [f"#include <{name}>" for name in sorted([*headers, "stdint.h"])]
    return "\n".join(lines) + "\n\n"
