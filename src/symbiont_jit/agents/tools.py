"""Python functions as a model's tools.

In: functions with type hints and docstrings; later, a call as the model wrote it. Out: their description as JSON
schema; the text of a call's result. pydantic reads the hints, so a parameter may be of any type that it can validate
from JSON. What a model does wrong, and what a function raises, is told to the model and not raised.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import ErrorDetails, PydanticSerializationError, to_jsonable_python

from symbiont_jit.agents.completion import Call
from symbiont_jit.agents.conversation import replace_surrogates
from symbiont_jit.errors import UsageError

__all__ = ["Tool", "run_call", "tool_of", "tools_of"]

#: Characters of a result, of an error and of one wrong value that go back to the model.
LONGEST_RESULT: Final = 20_000
LONGEST_ERROR: Final = 2_000
LONGEST_VALUE: Final = 80

_NAME: Final = re.compile(r"[A-Za-z_][\w]{0,63}", re.ASCII)
_KINDS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
#: Words for the kinds of problems that are about a name and not about a value.
_PROBLEMS: Final = {
    "missing": "the argument {!r} is missing",
    "missing_keyword_only_argument": "the argument {!r} is missing",
    "unexpected_keyword_argument": "there is no argument {!r}",
}


class _ArgumentSchema(GenerateJsonSchema):
    """pydantic's JSON schema without titles, which repeat the names, and without defaults that JSON cannot write."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, dft: Any) -> Any:
        value = super().encode_default(dft)
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            raise PydanticSerializationError(str(error)) from None
        return value


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]
    function: Callable[..., Any]

    def describe(self) -> dict[str, Any]:
        """Write the tool as the protocol's `tools` list it."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


def tools_of(functions: Sequence[Callable[..., Any] | Tool]) -> dict[str, Tool]:
    """Make tools of functions, by name. Raises `UsageError` where two have the same name."""
    tools: dict[str, Tool] = {}
    for function in functions:
        tool = function if isinstance(function, Tool) else tool_of(function)
        if tool.name in tools:
            raise UsageError(f"two tools are called {tool.name!r}; a model could not tell them apart")
        tools[tool.name] = tool
    return tools


def tool_of(function: Callable[..., Any]) -> Tool:
    """Make a tool of a function. Raises `UsageError` naming the parameter that has no JSON schema."""
    name = getattr(function, "__name__", "")
    if not callable(function) or not _NAME.fullmatch(name):
        raise UsageError(f"a tool is a function with a name, not {function!r:.80}")
    description = inspect.getdoc(function)
    if not description:
        raise UsageError(f"the tool {name!r} needs a docstring: it is what the model reads about it")
    return Tool(name, description, _adapter_of(function).json_schema(schema_generator=_ArgumentSchema), function)


@functools.lru_cache(maxsize=256)
def _adapter_of(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """Make the validator of a function's arguments, which gives them as a dictionary by name."""
    name = function.__name__
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise UsageError(f"the tool {name!r} has a type hint that is no name at its module's level: {error}") from None
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=_hint_of(parameter, hints, name))
        for parameter in inspect.signature(function).parameters.values()
    ]

    def collect(**arguments: Any) -> dict[str, Any]:
        return arguments

    # pydantic reads the signature of a function that it validates calls of.
    collect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    collect.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return TypeAdapter(typing.cast("Any", collect))


def _hint_of(parameter: inspect.Parameter, hints: Mapping[str, Any], tool: str) -> Any:
    """Find the type of a parameter for pydantic. Raises `UsageError` where JSON cannot carry its values by name."""
    where = f"the parameter {parameter.name!r} of the tool {tool!r}"
    if parameter.kind not in _KINDS:
        raise UsageError(f"{where} cannot be passed by name; a model passes every argument by its name")
    if parameter.name not in hints:
        raise UsageError(f"{where} has no type hint")
    hint = hints[parameter.name]
    try:
        TypeAdapter(hint).json_schema(schema_generator=_ArgumentSchema)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        shown = getattr(hint, "__name__", None) or str(hint)
        raise UsageError(
            f"{where} is {shown!r}, which JSON cannot carry; use int, float, str, bool, list[...], dict[str, ...], "
            "Literal[...], Optional of these, a dataclass or a pydantic model"
        ) from None
    # `Annotated[int, "text"]` describes a parameter without an import of pydantic.
    texts = [part for part in getattr(hint, "__metadata__", ()) if isinstance(part, str)]
    return Annotated[hint, Field(description=" ".join(texts))] if texts else hint


async def run_call(call: Call, tools: Mapping[str, Tool]) -> str:
    """Call a tool; gives its result, or what is wrong with the call, as a text for the model."""
    tool = tools.get(call.name)
    if tool is None:
        known = f"the tools are {', '.join(tools)}" if tools else "there are no tools; answer without"
        return f"error: there is no tool {call.name!r}; {known}"
    try:
        arguments, problems = _read_arguments(call, tool)
        if problems:
            return _cut(f"error: {'; '.join(problems)}. The arguments are {json.dumps(tool.parameters)}", LONGEST_ERROR)
        return _cut(_write_result(await _run(tool.function, arguments)), LONGEST_RESULT)
    except Exception as error:
        return _cut(f"error: {type(error).__name__}: {error}", LONGEST_ERROR)


async def _run(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Run a tool; a plain function runs in a thread, so that other lanes go on meanwhile."""
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    result = await asyncio.to_thread(functools.partial(function, **arguments))
    return await result if inspect.isawaitable(result) else result


def _read_arguments(call: Call, tool: Tool) -> tuple[dict[str, Any], list[str]]:
    """Read the JSON of a call; gives the function's arguments, and what is wrong with them."""
    try:
        given = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        return {}, [f"the arguments are not JSON: {error}"]
    if not isinstance(given, dict):
        return {}, [f"the arguments are not a JSON object but {_show(given)}"]
    try:
        # pydantic's own reader of JSON refuses halves of characters. It is strict, so that "1" is no number.
        text = replace_surrogates(json.dumps(given, ensure_ascii=False))
        return _adapter_of(tool.function).validate_json(text, strict=True), []
    except ValidationError as error:
        return {}, [_describe_problem(problem) for problem in error.errors(include_url=False)]


def _describe_problem(problem: ErrorDetails) -> str:
    """Say which argument is wrong, why, and what was given; `rows.r.1` is `rows["r"][1]`."""
    where = ".".join(map(str, problem["loc"]))
    words = _PROBLEMS.get(problem["type"])
    return words.format(where) if words else f"{where}: {problem['msg']}, not {_show(problem['input'])}"


def _show(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _write_result(result: Any) -> str:
    """Write a result as text; what is no text already becomes JSON, dataclasses and pydantic models as objects."""
    if not isinstance(result, str):
        result = json.dumps(to_jsonable_python(result, fallback=_to_plain), ensure_ascii=False)
    return replace_surrogates(result)


def _to_plain(value: Any) -> Any:
    """Turn what pydantic does not know into what JSON knows: NumPy's values, and all else as Python prints it."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}\n... and {len(text) - longest} more characters"
