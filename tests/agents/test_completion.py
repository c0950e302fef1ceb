"""What is read of a completion: texts, tokens, thoughts, and that anything else is a failure."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiont_jit.agents import failures
from symbiont_jit.agents.completion import Completion, prepare_message, read_completion
from symbiont_jit.agents.conversation import parse_json
from symbiont_jit.agents.protocol import Usage
from symbiont_jit.testing import ErrorReply, MalformedReply, TextReply, tokens
from tests.agents.asking import VALUES, ask


def test_a_length_finish_is_told():
    """An answer that was cut off says so."""
    reply, _ = ask([TextReply("double dot(", finish="length")])
    assert (reply.text, reply.finish) == ("double dot(", "length")


USAGES = {
    "whole": (tokens(9, 8, 7, 6), Usage(9, 7, 8, 6)),
    "bare": (tokens(9, 8), Usage(9, 0, 8, 0)),
    "absent": (None, Usage(is_known=False)),
    "deepseek": ({**tokens(9, 8), "prompt_cache_hit_tokens": 4}, Usage(9, 4, 8, 0)),
    "null details": ({**tokens(9, 8), "prompt_tokens_details": None}, Usage(9, 0, 8, 0)),
    "half": ({"prompt_tokens": 9}, Usage(9, 0, 0, 0, is_known=False)),
    "nonsense": ({"prompt_tokens": "many", "completion_tokens": -1}, Usage(is_known=False)),
}


@pytest.mark.parametrize("name", USAGES)
def test_usage(name):
    """Tokens are read where a server gives them, and known to be unknown where it does not."""
    sent, usage = USAGES[name]
    assert ask([TextReply("x", usage=sent)])[0].usage == usage


THOUGHTS = {
    "tags": (TextReply("<think>\nwhat is\n</think>\n\nint x;"), "int x;"),
    "opened by the template": (TextReply("what is\n</think>\nint x;"), "int x;"),
    "never ended": (TextReply("<think>what is", finish="length"), ""),
    "reasoning_content": (TextReply("int x;", reasoning="what is"), "int x;"),
    "reasoning": (TextReply("int x;", reasoning="what is", reasoning_field="reasoning"), "int x;"),
}


@pytest.mark.parametrize("name", THOUGHTS)
def test_reasoning_is_no_answer(name):
    """What a model thinks is not in the text, and nothing of it goes back to the server."""
    item, text = THOUGHTS[name]
    reply, _ = ask([item])
    assert reply.text == text
    (message,) = reply.messages
    assert prepare_message(message, ()) == {"role": "assistant", "content": text or "(no answer)"}
    assert set(message.values()) <= {"assistant", text or "(no answer)", "what is"}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_an_answer_that_is_in_the_reasoning_is_read(field):
    """Some servers put everything there; where the thinking was cut off, that is what the text says."""
    whole = ask([message(content="", **{field: "```c\nint x;\n```"})])[0]
    assert whole.text == "```c\nint x;\n```"
    assert whole.messages[0]["content"] == whole.text
    cut = ask([TextReply("", reasoning="I would", reasoning_field=field, finish="length")])[0]
    assert cut.text == "<think>I would"
    assert ask([message(content="int y;", **{field: "int x;"})])[0].text == "int y;"


def test_no_empty_answer_goes_back():
    """Servers refuse those; beside calls of tools, no text is no text."""
    assert ask([message(content=None)])[0].messages == ({"role": "assistant", "content": "(no answer)"},)
    assert prepare_message({"role": "assistant", "content": ""}, ()) == {"role": "assistant", "content": "(no answer)"}
    calling = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    assert prepare_message(calling, ()) == calling
    assert (
        prepare_message({**calling, "reasoning_content": "why"}, ("reasoning_content",))["reasoning_content"] == "why"
    )
    assert prepare_message({**calling, "reasoning_content": "why"}, ()) == calling


def message(**parts):
    """A completion with any message."""
    return ErrorReply(200, {"choices": [{"message": {"role": "assistant", **parts}, "finish_reason": "stop"}]})


CONTENTS = {
    "parts": (message(content=[{"type": "thinking", "thinking": []}, {"type": "text", "text": "int x;"}]), "int x;"),
    "null": (message(content=None), ""),
    "refusal": (message(content=None, refusal="No."), "No."),
    "half a character": (message(content="x\ud83dy"), "x?y"),
    "whole characters": (
        message(content="x\N{GRINNING FACE}y\N{GREEK SMALL LETTER PI}"),
        "x\N{GRINNING FACE}y\N{GREEK SMALL LETTER PI}",
    ),
    "plain text type": (
        MalformedReply('{"choices": [{"message": {"content": "int x;"}}]}', content_type="text/plain"),
        "int x;",
    ),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_contents_of_all_kinds_are_texts(name):
    """Lists of parts, nothing at all, refusals and broken characters are a text that can be sent back."""
    item, text = CONTENTS[name]
    reply, _ = ask([item])
    assert reply.text == text
    reply.text.encode()


def likely(**parts):
    """Objects with the fields of a completion, each right, wrong or absent."""
    return st.fixed_dictionaries({}, optional={name: VALUES | part for name, part in parts.items()})


FUNCTIONS = likely(name=st.text(), arguments=st.text())
MESSAGES = likely(content=st.text(), tool_calls=st.lists(likely(id=st.text(), function=FUNCTIONS), max_size=2))
COMPLETIONS = likely(
    choices=st.lists(likely(message=MESSAGES, error=likely(code=st.integers(), message=st.text())), max_size=2),
    usage=likely(prompt_tokens=st.integers(), prompt_tokens_details=likely(cached_tokens=st.integers())),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(COMPLETIONS | VALUES)
def test_any_json_is_an_answer_or_a_failure(data):
    """Totality: whatever a server sends is one of the two, and an answer can be sent back."""
    data = parse_json(json.dumps(data))
    outcome = read_completion(data)
    assert isinstance(outcome, Completion | failures.RequestFailure)
    if isinstance(outcome, Completion):
        json.dumps(outcome.message, ensure_ascii=False, allow_nan=False).encode()
        assert all(isinstance(part, str) for call in outcome.calls for part in (call.id, call.name, call.arguments))
