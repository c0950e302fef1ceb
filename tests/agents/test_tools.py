"""Tools: functions become schemas, calls of models become calls of functions, and whatever goes wrong is a text."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.completion import Call
from symbiont_jit.agents.tools import LONGEST_RESULT, run_call, tool_of, tools_of
from symbiont_jit.testing import ToolCalls
from tests.agents.asking import KEY, TOOLS, VALUES, Window, add, ask, plot, slowly, table


def test_a_function_becomes_a_tool():
    """Hints and docstring are the schema; defaults are not required."""
    assert tool_of(table).describe() == {
        "type": "function",
        "function": {
            "name": "table",
            "description": "Work on rows.",
            "parameters": {
                "type": "object",
                "properties": {
                    "rows": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}},
                    "kind": {"type": "string", "enum": ["sum", "max"]},
                    "limit": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None},
                },
                "required": ["rows", "kind"],
                "additionalProperties": False,
            },
        },
    }


def unhinted(a):
    """No hint."""


def opaque(z: np.ndarray):
    """A type JSON has not."""


def callback(f: Callable[[int], int]):
    """A function JSON cannot carry."""


def starred(*numbers: int):
    """No names."""


def undocumented(a: int): ...


def unresolved(a: "Nowhere"):
    """A name that is not there."""


REFUSED = {
    "no hint": ([unhinted], "'a' of the tool 'unhinted' has no type hint"),
    "type": ([opaque], "'z' of the tool 'opaque' is 'ndarray', which JSON cannot carry; use int"),
    "function": ([callback], "'f' of the tool 'callback' is 'Callable', which JSON cannot carry"),
    "star": ([starred], "'numbers' of the tool 'starred' cannot be passed by name"),
    "no docstring": ([undocumented], "'undocumented' needs a docstring"),
    "no name": ([lambda a: a], "a function with a name"),
    "unresolved": ([unresolved], "Nowhere"),
    "twice": ([add, add], "two tools are called 'add'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_functions_that_are_no_tools(name):
    """What no schema can be made of is refused when the agent is made, by name."""
    tools, text = REFUSED[name]
    with pytest.raises(sj.UsageError, match=text):
        Agent("model", "http://127.0.0.1:9/v1", tools=tools)


CALLS = {
    "no JSON": (("add", '{"a": 1'), "error: the arguments are not JSON"),
    "no object": (("add", "[1]"), "error: the arguments are not a JSON object but [1]."),
    "missing": (("add", {"b": 1}), "the argument 'a' is missing"),
    "unknown": (("add", {"a": 1, "c": 1}), "there is no argument 'c'"),
    "type": (("add", {"a": "1"}), 'a: Input should be a valid integer, not "1"'),
    "bool": (("add", {"a": True}), "a: Input should be a valid integer, not true"),
    "fraction": (("add", {"a": 1.0}), "a: Input should be a valid integer, not 1.0"),
    "inner type": (
        ("table", {"rows": {"r": [1, "2"]}, "kind": "sum"}),
        'rows.r.1: Input should be a valid integer, not "2"',
    ),
    "literal": (("table", {"rows": {}, "kind": "mean"}), "kind: Input should be 'sum' or 'max', not \"mean\""),
    "optional": (
        ("table", {"rows": {}, "kind": "max", "limit": "no"}),
        'limit: Input should be a valid number, not "no"',
    ),
    "long value": (("add", {"a": "1" * 500}), f'not "{"1" * 79}...'),
    "null": (("table", {"rows": {}, "kind": "max", "limit": None}), '"limit": null'),
    "name": (("subtract", {}), "there is no tool 'subtract'; the tools are add, slowly"),
    "exception": (("breaks", {"values": [1]}), "error: ZeroDivisionError"),
    "long": (("long", {}), "... and 30000 more characters"),
    "no arguments": (("leak", ""), "the key is [key]"),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_goes_wrong_in_a_call_is_told_to_the_model(name):
    """Wrong names, arguments and exceptions are results, bounded, and the run goes on."""
    call, text = CALLS[name]
    reply, requests = ask([ToolCalls([call]), "sorry"], tools=TOOLS, api_key=KEY)
    result = requests[1].body["messages"][-1]
    assert text in result["content"]
    assert len(result["content"]) < LONGEST_RESULT + 100
    assert reply.text == "sorry"


POINT_SCHEMA = {
    "title": "Point",
    "type": "object",
    "properties": {
        "x": {"type": "number"},
        "y": {"type": "number", "default": 0.0},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["x"],
}


def test_types_of_all_kinds_are_described():
    """Dataclasses, models, unions, dates, bounds, descriptions and defaults are in the schema; NaN is no default there."""
    parameters = tool_of(plot).parameters
    # pydantic before 2.13 leaves out what a dataclass's docstring says.
    point = {"description": "A place in the plane."} | parameters["$defs"]["Point"]
    assert point == POINT_SCHEMA | {"description": "A place in the plane."}
    assert parameters["$defs"]["Window"]["properties"] == {
        "first": {"type": "integer", "minimum": 0, "description": "Where it begins."},
        "point": {"$ref": "#/$defs/Point"},
    }
    assert parameters["properties"] == {
        "point": {"$ref": "#/$defs/Point"},
        "window": {"$ref": "#/$defs/Window"},
        "width": {"type": "integer", "description": "Pixels from left to right.", "default": 80},
        "height": {
            "type": "integer",
            "description": "Pixels from top to bottom.",
            "exclusiveMinimum": 0,
            "default": 24,
        },
        "mark": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}], "default": "x"},
        "day": {"type": "string", "format": "date", "default": "2025-01-02"},
        "scale": {"type": "number"},
        "origin": {"default": None},
    }
    assert parameters["required"] == ["point", "window"]
    assert parameters["additionalProperties"] is False
    json.dumps(parameters, allow_nan=False)


def tell(function, arguments):
    """What a model is told about one call of a tool."""
    return asyncio.run(run_call(Call("id", function.__name__, arguments), tools_of([function])))


def test_a_tool_gets_the_objects_that_its_hints_name():
    """A dataclass and a model arrive as such, what is not given has the function's default, and they go back as JSON."""
    window = {"first": 2, "point": {"x": 3, "y": 4.5, "tags": ["a"]}}
    arguments = {"point": {"x": 1}, "window": window, "mark": [1, 2], "day": "2026-03-04"}
    assert json.loads(tell(plot, json.dumps(arguments))) == {
        "point": {"x": 1.0, "y": 0.0, "tags": []},
        "window": {"first": 2, "point": {"x": 3.0, "y": 4.5, "tags": ["a"]}},
        "size": [80, 24],
        "mark": [1, 2],
        "day": "2026-03-04",
        "ids": [0, 1],
    }


WRONG = {
    "dataclass": ({"point": 3}, "point: Input should be an object, not 3"),
    "field": ({"point": {"x": "no"}}, 'point.x: Input should be a valid number, not "no"'),
    "missing field": ({"point": {}}, "the argument 'point.x' is missing"),
    "bound": (
        {"window": {"first": -1, "point": {"x": 1}}},
        "window.first: Input should be greater than or equal to 0, not -1",
    ),
    "annotated bound": ({"height": 0}, "height: Input should be greater than 0, not 0"),
    "date": ({"day": "tomorrow"}, "day: Input should be a valid date"),
    "union": ({"mark": 1.5}, "mark.str: Input should be a valid string, not 1.5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_of_rich_types_are_named(name):
    """The place inside the argument, the rule and what was given are told; the function is not called."""
    wrong, text = WRONG[name]
    right = {"point": {"x": 1}, "window": {"first": 0, "point": {"x": 1}}}
    assert text in tell(plot, json.dumps({**right, **wrong}))


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["point", "window", "width", "mark", "day", "other"]), VALUES) | VALUES)
def test_any_arguments_give_a_text(arguments):
    """Totality: whatever a model passes, it is told a text that can be sent, and nothing is raised."""
    told = tell(plot, json.dumps(arguments))
    assert told
    assert len(told.encode()) < 4 * LONGEST_RESULT


def test_half_a_character_in_a_call_is_replaced():
    """JSON can escape half a character, which no text that is sent can hold."""
    assert tell(slowly, '{"text": "a\\ud83db"}') == "A?B"


class Shop:
    """Somebody's object."""

    def __init__(self):
        self.sold = []

    def sell(self, what: str, count: Annotated[int, pydantic.Field(le=3)] = 1) -> int:
        """Sell something."""
        self.sold += [what] * count
        return len(self.sold)


def test_methods_are_tools():
    """A bound method is called on its object; each object has its own."""
    one, other = Shop(), Shop()
    assert [tell(one.sell, '{"what": "tea", "count": 2}'), tell(other.sell, '{"what": "jam"}')] == ["2", "1"]
    assert (one.sold, other.sold) == (["tea", "tea"], ["jam"])


def test_what_a_tool_raises_is_not_taken_for_a_wrong_argument():
    """A validation inside of the function is the function's error."""

    def inner(text: str) -> str:
        """Validate by itself."""
        return str(Window.model_validate_json(text))

    assert tell(inner, '{"text": "{}"}').startswith("error: ValidationError: 2 validation errors for Window")
