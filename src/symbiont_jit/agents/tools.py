"""Python functions as a model's tools.

In: functions with type hints and docstrings; later, a call as the model wrote it. Out: their description as JSON
schema; the text of a call's result. What a model does wrong, and what a function raises, is told to the model and not
raised.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.agents.completion import Call
from symbiont_jit.agents.conversation import without_surrogates
from symbiont_jit.errors import UsageError

__all__ = ["Tool", "run_call", "tool_of", "tools_of"]

#: Characters of a result and of an error that go back to the model.
LONGEST_RESULT: Final = 20_000
LONGEST_ERROR: Final = 2_000

Schema = dict[str, Any]

_SCALARS: Final[Mapping[Any, str]] = {
    int: "integer",
    float: "number",
    str: "string",
    bool: "boolean",
    type(None): "null",
}
#: How JSON's types look in Python; a bool is no number here, though Python says it is one.
_IS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
_NAME: Final = re.compile(r"[A-Za-z_][\w]{0,63}", re.ASCII)
_KINDS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Schema
    function: Callable[..., Any]

    def described(self) -> Schema:
        """As the protocol's `tools` list it."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


def tools_of(functions: Sequence[Callable[..., Any] | Tool]) -> dict[str, Tool]:
    """Tools by name. Raises `UsageError` where two have the same."""
    tools: dict[str, Tool] = {}
    for function in functions:
        tool = function if isinstance(function, Tool) else tool_of(function)
        if tool.name in tools:
            raise UsageError(f"two tools are called {tool.name!r}; a model could not tell them apart")
        tools[tool.name] = tool
    return tools


def tool_of(function: Callable[..., Any]) -> Tool:
    """The tool that a function is. Raises `UsageError` naming the parameter that has no JSON schema."""
    name = getattr(function, "__name__", "")
    if not callable(function) or not _NAME.fullmatch(name):
        raise UsageError(f"a tool is a function with a name, not {function!r:.80}")
    description = inspect.getdoc(function)
    if not description:
        raise UsageError(f"the tool {name!r} needs a docstring: it is what the model reads about it")
    return Tool(name, description, _parameters_of(function, name), function)


def _parameters_of(function: Callable[..., Any], name: str) -> Schema:
    hints = _hints_of(function, name)
    properties: Schema = {}
    required: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        where = f"the parameter {parameter.name!r} of the tool {name!r}"
        if parameter.kind not in _KINDS:
            raise UsageError(f"{where} cannot be passed by name; a model passes every argument by its name")
        if parameter.name not in hints:
            raise UsageError(f"{where} has no type hint")
        schema = _schema_of(hints[parameter.name], where)
        if parameter.default is inspect.Parameter.empty:
            required.append(parameter.name)
        elif _is_plain(parameter.default):
            schema = {**schema, "default": parameter.default}
        properties[parameter.name] = schema
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _hints_of(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except NameError as error:
        raise UsageError(f"the tool {name!r} has a type hint that is no name at its module's level: {error}") from None


def _schema_of(hint: Any, where: str) -> Schema:
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal and all(type(value) in _SCALARS for value in arguments):
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema_of(argument, where) for argument in arguments]}
    if hint is list or origin is list:
        return {"type": "array", **({"items": _schema_of(arguments[0], where)} if arguments else {})}
    if hint is dict or (origin is dict and arguments[:1] in ((), (str,))):
        return {"type": "object", **({"additionalProperties": _schema_of(arguments[1], where)} if arguments else {})}
    shown = getattr(hint, "__name__", None) or str(hint)
    raise UsageError(
        f"{where} is {shown!r}, which JSON cannot carry; use int, float, str, bool, list[...], dict[str, ...], "
        "Literal[...] or Optional of these"
    )


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


async def run_call(call: Call, tools: Mapping[str, Tool]) -> str:
    """What a call gives, or what is wrong with it, as a text for the model."""
    tool = tools.get(call.name)
    if tool is None:
        known = f"the tools are {', '.join(tools)}" if tools else "there are no tools; answer without"
        return f"error: there is no tool {call.name!r}; {known}"
    arguments, problems = _arguments_of(call, tool)
    if problems:
        return _cut(f"error: {'; '.join(problems)}. The arguments are {json.dumps(tool.parameters)}", LONGEST_ERROR)
    try:
        result = await _called(tool.function, arguments)
        return _cut(_as_text(result), LONGEST_RESULT)
    except Exception as error:
        return _cut(f"error: {type(error).__name__}: {error}", LONGEST_ERROR)


async def _called(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """A plain function runs in a thread: other lanes go on meanwhile."""
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    result = await asyncio.to_thread(functools.partial(function, **arguments))
    return await result if inspect.isawaitable(result) else result


def _arguments_of(call: Call, tool: Tool) -> tuple[dict[str, Any], list[str]]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        return {}, [f"the arguments are not JSON: {error}"]
    if not isinstance(arguments, dict):
        return {}, ["the arguments are not a JSON object"]
    properties = tool.parameters["properties"]
    problems = [f"there is no argument {name!r}" for name in arguments if name not in properties]
    problems += [f"the argument {name!r} is missing" for name in tool.parameters["required"] if name not in arguments]
    for name, schema in properties.items():
        if name in arguments:
            problems += _problems_of(arguments[name], schema, name)
    return arguments, problems


def _problems_of(value: Any, schema: Schema, where: str) -> list[str]:
    """How a value differs from a schema, for those that `_schema_of` makes."""
    if "enum" in schema:
        return [] if _is_listed(value, schema["enum"]) else [f"{where} is not one of {json.dumps(schema['enum'])}"]
    if "anyOf" in schema:
        found = [_problems_of(value, choice, where) for choice in schema["anyOf"]]
        return [] if not all(found) else found[0]
    if not _IS[schema["type"]](value):
        return [f"{where} has to be of type {schema['type']}"]
    inner = schema.get("items") if isinstance(value, list) else schema.get("additionalProperties")
    if not inner or not isinstance(value, list | dict):
        return []
    parts = enumerate(value) if isinstance(value, list) else value.items()
    return [problem for key, part in parts for problem in _problems_of(part, inner, f"{where}[{key!r}]")]


def _is_listed(value: Any, choices: Sequence[Any]) -> bool:
    """Python calls 1 and true equal."""
    return any(value == choice and type(value) is type(choice) for choice in choices)


def _as_text(result: Any) -> str:
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=_plain)
    return without_surrogates(text)


def _plain(value: Any) -> Any:
    """What JSON does not know: NumPy's arrays and scalars as lists and numbers, all else as Python prints it."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}\n... and {len(text) - longest} more characters"
