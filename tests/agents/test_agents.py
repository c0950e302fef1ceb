"""Agents: the real client and real HTTP on both sides of a local server that says what a test tells it to."""

import asyncio
import copy
import datetime
import email.utils
import gc
import json
import logging
import math
import pickle
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbiont_jit as sj
from symbiont_jit.agents import failures
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.completion import Call, Completion, read_completion
from symbiont_jit.agents.conversation import parse_json
from symbiont_jit.agents.ensemble import Ensemble
from symbiont_jit.agents.protocol import ContextOverflow, Reply, RequestFailed, TurnLimit, Usage, as_agent, use_meter
from symbiont_jit.agents.providers import LEVELS, PROVIDERS, provider_of
from symbiont_jit.agents.recording import Recording
from symbiont_jit.agents.retries import RetryPolicy, read_retry_after
from symbiont_jit.agents.secret import Secret, redact_pieces
from symbiont_jit.agents.tools import LONGEST_RESULT, run_call, tool_of, tools_of
from symbiont_jit.testing import (
    OVERFLOWS,
    DroppedConnection,
    ErrorReply,
    MalformedReply,
    OverflowReply,
    ScriptedAgent,
    Server,
    SlowReply,
    TextReply,
    ToolCalls,
    tokens,
)

KEY = "sk-proj-Zq81mVxw0KcT5yUaQe7Lr2Jh"
QUICK = RetryPolicy(retries=3, base=0.001)
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No test depends on the keys of the person who runs it."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)


def run(agent, messages=HELLO):
    return asyncio.run(as_agent(agent)(messages))


def ask(replies, messages=HELLO, **settings):
    """A run against a server with a script: the reply and the requests that came."""
    with Server(replies) as server:
        reply = run(Agent("model", server.url, **{"retries": QUICK, **settings}), messages)
    return reply, server.requests


def fail(replies, **settings):
    """The error of a run, and the requests that came."""
    with Server(replies) as server, pytest.raises(sj.AgentError) as caught:
        run(Agent("model", server.url, **{"retries": QUICK, **settings}))
    return caught.value, server.requests


class Ledger:
    """A meter that remembers all it was told, and stops after `limit` requests."""

    def __init__(self, limit=1000):
        self.limit = limit
        self.events = []

    def before_request(self):
        """Count, or stop."""
        if sum(event == "before" for event in self.events) >= self.limit:
            raise sj.EvolveError("the budget is used up")
        self.events.append("before")

    def after_request(self, usage, model=""):
        """Note."""
        self.events.append((usage, model))


# Requests and replies


@pytest.mark.slow
def test_a_reply_has_all_that_a_run_tells():
    """The text, the new messages, tokens, model, finish and number of requests come back."""
    reply, (request,) = ask([TextReply("int x;", usage=tokens(100, 20, cached=60, reasoning=5))], api_key=KEY)
    answer = {"role": "assistant", "content": "int x;"}
    assert reply == Reply("int x;", (answer,), Usage(100, 60, 20, 5), "model", "stop", 1, ())
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {"model": "model", "messages": HELLO}


def test_settings_are_sent():
    """Temperature, seed, limit, headers and the extra body arrive, and the extra body wins."""
    body = {"temperature": 0.9, "top_k": 4}
    _, (request,) = ask(["x"], temperature=0.1, seed=7, max_tokens=50, headers={"X-Title": "test"}, body=body)
    assert request.headers["x-title"] == "test"
    sent = {name: value for name, value in request.body.items() if name not in ("model", "messages")}
    assert sent == {"temperature": 0.9, "seed": 7, "max_tokens": 50, "top_k": 4}


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
    """What a model thinks is neither in the text nor in the conversation."""
    item, text = THOUGHTS[name]
    reply, _ = ask([item])
    assert reply.text == text
    assert reply.messages == ({"role": "assistant", "content": text},)


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


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


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
    outcome = read_completion(data, echo=("reasoning_content",))
    assert isinstance(outcome, Completion | failures.RequestFailure)
    if isinstance(outcome, Completion):
        json.dumps(outcome.message, ensure_ascii=False, allow_nan=False).encode()
        assert all(isinstance(part, str) for call in outcome.calls for part in (call.id, call.name, call.arguments))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_text_keeps_a_piece_of_the_key(data):
    """Whatever of the key a text repeats, and wherever, no eight characters of it stay."""
    cut = st.tuples(st.integers(0, len(KEY)), st.integers(0, len(KEY))).map(lambda ends: KEY[min(ends) : max(ends)])
    text = "".join(data.draw(st.lists(cut | st.text(max_size=4), max_size=6)))
    shown = redact_pieces(text, [Secret(KEY)])
    assert not any(KEY[i : i + 8] in shown for i in range(len(KEY) - 7))


# Settings


PROVIDER_URLS = {
    "https://api.openai.com/v1": "openai",
    "https://me.openai.azure.com/openai/v1": "openai",
    "https://openrouter.ai/api/v1": "openrouter",
    "https://api.anthropic.com/v1/": "anthropic",
    "https://api.deepseek.com": "deepseek",
    "https://generativelanguage.googleapis.com/v1beta/openai/": "gemini",
    "https://api.groq.com/openai/v1": "groq",
    "https://api.mistral.ai/v1": "mistral",
    "https://api.x.ai/v1": "xai",
    "https://dashscope-intl.aliyuncs.com/compatible-mode/v1": "dashscope",
    "http://localhost:11434/v1": "ollama",
    "http://localhost:8080/v1": "llama.cpp",
    "http://10.0.0.2:8000/v1": "vllm",
    "http://localhost:30000/v1": "sglang",
    "http://models.example/v1": "other",
}


@pytest.mark.parametrize("url", PROVIDER_URLS)
def test_providers_are_known_by_their_url(url):
    """A base URL belongs to one provider, the last resort is the common one."""
    assert provider_of(url).name == PROVIDER_URLS[url]


REASONING = {
    ("openai", "high"): {"reasoning_effort": "high"},
    ("openrouter", "none"): {"reasoning": {"effort": "none"}},
    ("anthropic", "low"): {"thinking": {"type": "enabled", "budget_tokens": 2048}},
    ("anthropic", "none"): {"thinking": {"type": "disabled"}},
    ("deepseek", "none"): {"thinking": {"type": "disabled"}},
    ("dashscope", "high"): {"enable_thinking": True},
    ("ollama", "none"): {"reasoning_effort": "none"},
    ("llama.cpp", "none"): {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
    ("vllm", "none"): {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
    ("vllm", "low"): {
        "reasoning_effort": "low",
        "chat_template_kwargs": {"enable_thinking": True, "thinking": True, "reasoning_effort": "low"},
    },
}


@pytest.mark.parametrize("case", REASONING, ids="-".join)
def test_reasoning_is_said_as_the_server_says_it(case):
    """A level becomes the fields that the provider knows."""
    provider, level = case
    _, (request,) = ask(["x"], provider=provider, reasoning=level)
    assert {name: v for name, v in request.body.items() if name not in ("model", "messages")} == REASONING[case]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_takes_every_level(provider):
    """No level is missing from a table."""
    assert all(json.dumps(PROVIDERS[provider].reasoning(level)) for level in LEVELS)


def test_limits_and_seeds_have_their_names():
    """OpenAI counts completion tokens, Mistral draws from a random_seed."""
    _, (openai,) = ask(["x"], provider="openai", max_tokens=5, seed=1)
    _, (mistral,) = ask(["x"], provider="mistral", max_tokens=5, seed=1)
    assert (openai.body["max_completion_tokens"], openai.body["seed"]) == (5, 1)
    assert (mistral.body["max_tokens"], mistral.body["random_seed"]) == (5, 1)


def test_the_body_adds_to_a_dictionary():
    """Template arguments of the user stand beside those of the reasoning level, and win."""
    mine = {"chat_template_kwargs": {"thinking": True, "tone": "dry"}}
    _, (request,) = ask(["x"], provider="vllm", reasoning="none", body=mine)
    assert request.body["chat_template_kwargs"] == {"enable_thinking": False, "thinking": True, "tone": "dry"}


def test_defaults_come_from_the_environment(monkeypatch):
    """Key, URL and model are read from the variables that everybody uses."""
    with Server(["x"]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_MODEL", "from the environment")
        reply = run(Agent())
    assert reply.model == server.requests[0].body["model"] == "from the environment"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_arguments_win_over_the_environment(monkeypatch):
    """What is given is taken."""
    with Server(["x"]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "another key")
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("OPENAI_MODEL", "another")
        run(Agent("model", server.url, KEY))
    assert server.requests[0].body["model"] == "model"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_server_of_ones_own_needs_no_key():
    """With a base URL and no key, a placeholder is sent."""
    _, (request,) = ask(["x"])
    assert request.headers["authorization"] == "Bearer none"


def test_a_missing_key_says_what_to_do():
    """The variable and the offline proposer are named."""
    with pytest.raises(sj.AgentError, match=r"OPENAI_API_KEY.*sj\.Mutator\(\)"):
        Agent("gpt-5")


def test_a_missing_model_says_what_to_do():
    """The variable and the offline proposer are named."""
    with pytest.raises(sj.AgentError, match=r"OPENAI_MODEL.*sj\.Mutator\(\)"):
        Agent(api_key=KEY)


SETTINGS = {
    "provider": ({"provider": "vlm"}, "provider='vlm' is not known; there are openai"),
    "reasoning": ({"reasoning": "much"}, "the levels are none, minimal"),
    "max_turns": ({"max_turns": 0}, "max_turns=0"),
    "timeout": ({"timeout": 0}, "timeout=0"),
    "retries": ({"retries": -1}, "below 0"),
    "stream": ({"body": {"stream": True}}, "stream"),
    "no scheme": ({"base_url": "localhost:8000/v1"}, "has to begin with http"),
    "password": ({"base_url": f"http://me:{KEY}@localhost/v1"}, "name or password"),
    "header": ({"headers": {"X-Key": f"{KEY}\n"}}, "'X-Key' holds characters"),
    "key": ({"api_key": f"{KEY}\N{EM DASH}"}, "holds characters that HTTP cannot send"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_mean_nothing_are_refused(name):
    """A mistake in a setting is told when the agent is made, without the key."""
    settings, text = SETTINGS[name]
    with pytest.raises(sj.UsageError, match=text) as caught:
        Agent("model", **{"base_url": "http://127.0.0.1:9/v1", **settings})
    assert KEY not in str(caught.value)


# Retries


PASSING = {
    **{str(status): ErrorReply(status) for status in (408, 409, 425, 429, 500, 502, 503, 504, 529)},
    "connection": DroppedConnection(),
    "connection, in the body": DroppedConnection(in_body=True),
    "malformed": MalformedReply(),
    "malformed, html": MalformedReply("<!doctype html><p>hello", content_type="text/html"),
    "malformed, empty": MalformedReply(""),
    "malformed, a list": MalformedReply("[]"),
    "malformed, no choices": MalformedReply('{"choices": []}'),
    "malformed, no message": MalformedReply('{"choices": [{}]}'),
    "429, under 200": ErrorReply(200, {"error": {"code": 429, "message": "upstream is busy"}}),
    "502, in a choice": ErrorReply(200, {"choices": [{"error": {"code": 502, "message": "gone"}}]}),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(name):
    """A failure that passes by itself costs a request and no attempt."""
    reply, requests = ask([PASSING[name], "here"])
    assert reply.text == "here"
    assert [retry.reason for retry in reply.retries] == [name.partition(",")[0]]
    assert reply.requests == len(requests) == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 422])
def test_what_stays_is_not_tried_again(status):
    """A refusal is final, and says what to do."""
    error, requests = fail([ErrorReply(status, {"error": {"message": "because"}}), "never"])
    assert isinstance(error, RequestFailed)
    assert error.status == status
    assert f"answered {status} (because); " in str(error)
    assert len(requests) == 1


ADVICE = {401: "OPENAI_API_KEY", 404: "OPENAI_MODEL", 400: "temperature"}


@pytest.mark.parametrize("status", ADVICE)
def test_a_refusal_names_the_setting(status):
    """The advice names what a person can change."""
    assert ADVICE[status] in str(fail([ErrorReply(status)])[0])


def test_an_empty_account_is_not_a_rate():
    """Status 429 for money is final."""
    error, requests = fail([ErrorReply(429, {"error": {"code": "insufficient_quota", "message": "no money"}})])
    assert error.status == 429
    assert len(requests) == 1


@pytest.mark.parametrize(
    "item", [ErrorReply(503), DroppedConnection(), MalformedReply()], ids=["503", "dropped", "malformed"]
)
def test_retries_are_bounded(item):
    """After as many retries as the policy has, the last failure is raised."""
    error, requests = fail([item] * 10)
    assert len(requests) == 1 + QUICK.retries
    assert len(error.retries) == QUICK.retries
    assert "after 4 requests" in str(error)


def test_a_number_is_a_policy():
    """`retries=1` is one more request."""
    with Server([ErrorReply(500), ErrorReply(500)]) as server, pytest.raises(RequestFailed):
        run(Agent("model", server.url, retries=RetryPolicy(1, base=0.001)))
    assert len(server.requests) == 2
    assert Agent("model", server.url, retries=1).retries == RetryPolicy(1)


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "0.3"}, {"Retry-After-Ms": "300"}], ids=["seconds", "milliseconds"]
)
def test_retry_after_is_honoured(headers):
    """No request comes before the server wants one: a timer of the same loop that is due sooner has rung by then."""
    rung, heard = threading.Event(), []

    def answer(body):
        heard.append(rung.is_set())
        if len(heard) == 2:
            return "here"
        loop.call_soon_threadsafe(loop.call_later, 0.29, rung.set)
        return ErrorReply(429, headers=headers)

    async def asked():
        nonlocal loop
        loop = asyncio.get_running_loop()
        return await Agent("model", server.url, retries=QUICK)(HELLO)

    loop = None

    with Server(answer) as server:
        reply = asyncio.run(asked())
    assert heard == [False, True]
    assert 0.3 <= reply.retries[0].seconds <= 0.3 + QUICK.base


def test_retry_after_may_be_a_date():
    """A date is as many seconds as are left until then; the past is now."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=30)
    assert 28 <= read_retry_after({"retry-after": email.utils.format_datetime(soon, usegmt=True)}) <= 30
    assert read_retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert [read_retry_after({"retry-after": text}) for text in ("soon", "nan", "inf", "")] == [None] * 4


def test_impatience():
    """A server that wants more time than the policy has is not waited for."""
    error, requests = fail([ErrorReply(429, headers={"Retry-After": "3600"})])
    assert "asks to wait 3600 seconds" in str(error)
    assert len(requests) == 1


def test_waits_grow_within_their_bounds():
    """Wait n is base * 2**n up to the cap, less a part of at most the jitter."""
    policy = RetryPolicy(retries=2000, base=1.0, cap=8.0, jitter=0.25)
    for taken in (0, 1, 2, 3, 4, 1999):
        whole = min(8.0, 2.0 ** min(taken, 10))
        waits = [policy.seconds(taken, None, chance / 10) for chance in range(11)]
        assert waits == sorted(waits, reverse=True)
        assert (waits[0], waits[-1]) == (whole, 0.75 * whole)
    assert policy.seconds(2000, None, 0.5) is None


def test_a_slow_body_is_a_timeout():
    """The limit is for the whole request: pieces that keep coming do not stretch it."""
    sent = threading.Event()

    class Endless(SlowReply):
        def send(self, exchange):
            super().send(exchange)
            sent.set()

    script = iter([Endless("late", seconds=60.0, pieces=1200), "here"])
    with Server(lambda body: next(script)) as server:
        reply = run(Agent("model", server.url, retries=QUICK, timeout=0.3))
        assert not sent.is_set()
    assert reply.text == "here"
    assert [retry.reason for retry in reply.retries] == ["timeout"]


def test_a_slow_body_in_time_is_an_answer():
    """A body may come in pieces."""
    assert ask([SlowReply("in time", seconds=0.2)], timeout=5.0)[0].text == "in time"


def test_a_timeout_names_its_setting():
    """What took too long can be given more time."""
    error, _ = fail([TextReply("late", delay=5.0)], timeout=0.1, retries=0)
    assert "no whole answer within 0.1 seconds" in str(error)
    assert "Agent(timeout=...)" in str(error)


def test_no_server_at_all():
    """A server that is not there is a connection error that names the setting."""
    with Server([]) as server:
        url = server.url
    with pytest.raises(RequestFailed, match=r"no answer: connection after 4 requests.*OPENAI_BASE_URL"):
        run(Agent("model", url, retries=QUICK))


def test_a_server_that_speaks_no_tls():
    """The certificates of an https URL are checked by the client's own transport, and what it says is an AgentError."""
    with Server(["never"]) as server, pytest.raises(RequestFailed, match="no answer: connection") as caught:
        run(Agent("model", server.url.replace("http:", "https:"), KEY, retries=0))
    assert caught.value.__context__ is None
    assert server.requests == []


def test_a_reply_of_a_web_site_is_no_answer():
    """A page in place of JSON is shown, shortly, with the likeliest reason."""
    error, _ = fail([MalformedReply("<!doctype html>" + "x" * 5000)], retries=0)
    assert "not JSON: <!doctype html>" in str(error)
    assert "/v1" in str(error)
    assert len(str(error)) < failures.LONGEST_QUOTE + 300


# Too long


@pytest.mark.parametrize("server", OVERFLOWS)
def test_overflows_are_recognised(server):
    """In every server's words, a conversation that is too long is a ContextOverflow, at once."""
    error, requests = fail([OverflowReply(server), "never"])
    assert type(error) is ContextOverflow
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "temperature has to be below the maximum"),
        (400, "max_tokens is too large: 99999. This model supports at most 16384 completion tokens"),
        (429, "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000."),
        (404, "model 'context' not found"),
        (401, "maximum context length"),
        (500, "out of memory"),
    ],
)
def test_other_errors_are_not_overflows(status, said):
    """A message about limits, rates or another status is not taken for one."""
    assert not failures.is_overflow(status, "", said)


# Many at once, many loops


def test_loops_in_several_threads():
    """Threads with loops of their own may share an agent."""
    with Server(lambda body: TextReply("x", delay=0.05)) as server, ThreadPoolExecutor(8) as threads:
        agent = Agent("model", server.url)
        assert {reply.text for reply in threads.map(lambda _: run(agent), range(16))} == {"x"}
        assert agent._connection._clients == {}


@pytest.mark.slow
def test_many_at_once():
    """64 requests are all at the server before the first of them is answered."""
    here = threading.Barrier(64)

    def script(body):
        here.wait(timeout=30)
        return TextReply(body["messages"][0]["content"])

    with Server(script) as server:
        agent = Agent("model", server.url)

        async def all_of_them():
            return await asyncio.gather(*(agent([{"role": "user", "content": str(i)}]) for i in range(64)))

        replies = asyncio.run(all_of_them())
    assert [reply.text for reply in replies] == [str(i) for i in range(64)]


@pytest.mark.slow
def test_one_loop_after_another():
    """An agent outlives event loops, and leaves no connection open: warnings are errors here."""
    with Server(["1", ErrorReply(500), "2", "3"]) as server:
        agent = Agent("model", server.url, retries=QUICK)
        assert [run(agent).text for _ in range(3)] == ["1", "2", "3"]
        assert agent._connection._clients == {}
    gc.collect()


def test_one_client_for_a_loop():
    """Requests of one loop share their connections until the loop ends or the agent is closed."""
    with Server(lambda body: "x") as server:
        agent = Agent("model", server.url)

        async def twice():
            await agent(HELLO)
            (first,) = agent._connection._clients.values()
            await agent(HELLO)
            assert list(agent._connection._clients.values()) == [first]
            await agent.close()
            assert agent._connection._clients == {}
            return await agent(HELLO)

        assert asyncio.run(twice()).text == "x"


def test_cancelling_a_run():
    """A run that is cancelled ends before its answer comes, and the meter is told that its request gave nothing."""
    ledger = Ledger()
    ended, waited = threading.Event(), []

    def answer(body):
        waited.append(ended.wait(60))
        return "late"

    with Server(answer) as server:
        agent = Agent("model", server.url)

        async def cancelled():
            with use_meter(ledger):
                await asyncio.wait_for(agent(HELLO), 0.3)

        with pytest.raises(TimeoutError):
            asyncio.run(cancelled())
        ended.set()
    assert waited == [True]
    assert ledger.events == ["before", (None, "model")]


# The meter


def test_every_request_is_metered():
    """Failed requests and turns with tools are counted, each before and after."""
    ledger = Ledger()
    script = [ErrorReply(500), ToolCalls([("add", {"a": 1, "b": 2})]), TextReply("3", usage=None)]
    with Server(script) as server, use_meter(ledger):
        run(Agent("model", server.url, tools=[add], retries=QUICK))
    answered = (Usage(10, 0, 5, 0), "model")
    assert ledger.events == ["before", (None, "model"), "before", answered, "before", (None, "model")]


def test_the_meter_can_stop_a_run():
    """What the meter raises ends the run before a request is sent."""
    with Server([ToolCalls([("add", {"a": 1})]), "never"]) as server:
        agent = Agent("model", server.url, tools=[add])
        with use_meter(Ledger(limit=1)), pytest.raises(sj.EvolveError, match="used up"):
            run(agent)
    assert len(server.requests) == 1


# Tools


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


async def slowly(text: str) -> str:
    """Give a text back, later."""
    await asyncio.sleep(0.01)
    return text.upper()


def breaks(values: list[float]) -> float:
    """Divide by zero."""
    return sum(values) / 0


def long() -> str:
    """Say much."""
    return "x" * 50_000


def table(rows: dict[str, list[int]], kind: Literal["sum", "max"], limit: Optional[float] = None) -> dict:  # noqa: UP045
    """Work on rows."""
    return {"kind": kind, "rows": rows, "limit": limit}


def leak() -> str:
    """Say what should not be said."""
    return f"the key is {KEY}"


TOOLS = [add, slowly, breaks, long, table, leak]


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


def test_the_tool_loop():
    """Calls are made, results go back, several in one turn and over several turns; all is in the reply."""
    script = [
        ToolCalls([("add", {"a": 40}), ("slowly", {"text": "abc"})], text="let me see"),
        ToolCalls([("add", {"a": 1, "b": 1})]),
        TextReply("42, ABC, 2"),
    ]
    reply, requests = ask(script, tools=TOOLS)
    assert reply.text == "42, ABC, 2"
    assert [m["role"] for m in reply.messages] == ["assistant", "tool", "tool", "assistant", "tool", "assistant"]
    assert [m["content"] for m in reply.messages if m["role"] == "tool"] == ["42", "ABC", "2"]
    assert reply.usage == Usage(30, 0, 15, 0)
    assert reply.requests == 3
    assert len(requests[0].body["tools"]) == len(TOOLS)
    assert requests[2].body["messages"] == [*HELLO, *reply.messages[:-1]]
    calls = reply.messages[0]["tool_calls"]
    assert [m["tool_call_id"] for m in reply.messages[1:3]] == [call["id"] for call in calls]


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


@dataclass
class Point:
    """A place in the plane."""

    x: float
    y: float = 0.0
    tags: list[str] = field(default_factory=list)


class Window(pydantic.BaseModel):
    """Some rows of a table."""

    first: int = pydantic.Field(ge=0, description="Where it begins.")
    point: Point


def plot(
    point: Point,
    window: Window,
    width: Annotated[int, "Pixels from left to right."] = 80,
    height: Annotated[int, pydantic.Field(description="Pixels from top to bottom.", gt=0)] = 24,
    mark: str | list[int] = "x",
    day: datetime.date = datetime.date(2025, 1, 2),
    scale: float = math.nan,
    origin: object = None,
) -> dict:
    """Draw a point."""
    return {"point": point, "window": window, "size": [width, height], "mark": mark, "day": day, "ids": np.arange(2)}


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


def test_an_agent_with_tools_can_be_pickled():
    """A pickled agent has its tools, and they work there."""
    with Server([ToolCalls([("add", {"a": 40})]), "done"]) as server:
        agent = pickle.loads(pickle.dumps(Agent("model", server.url, tools=[add, plot])))
        assert run(agent).messages[1]["content"] == "42"


def test_turns_are_bounded():
    """A model that only calls tools ends in a TurnLimit, with a conversation that could go on."""
    with Server(lambda body: ToolCalls([("add", {"a": 1})])) as server, pytest.raises(TurnLimit) as caught:
        run(Agent("model", server.url, tools=[add], max_turns=3))
    assert len(server.requests) == 3
    assert caught.value.usage == Usage(30, 0, 15, 0)
    results = [m["content"] for m in caught.value.messages if m["role"] == "tool"]
    assert results == ["3", "3", "error: not called, the turns are used up"]


def test_other_lanes_go_on_while_a_tool_works():
    """A function that blocks does not block the loop: four lanes are inside of it at the same time."""
    inside = threading.Barrier(4)

    def meet() -> str:
        """Wait until all four are here."""
        inside.wait(timeout=20)
        return "done"

    def script(body):
        return "end" if len(body["messages"]) > 1 else ToolCalls([("meet", {})])

    with Server(script) as server:
        agent = Agent("model", server.url, tools=[meet])

        async def lanes():
            return await asyncio.gather(*(agent(HELLO) for _ in range(4)))

        replies = asyncio.run(lanes())
    assert [reply.messages[1]["content"] for reply in replies] == ["done"] * 4


def test_reasoning_goes_back_where_a_server_wants_it():
    """DeepSeek's thinking turns are refused without their thoughts; other servers refuse the field."""
    thinking = ErrorReply(
        200,
        {
            "choices": [
                {
                    "message": {
                        "content": None,
                        "reasoning_content": "hm",
                        "tool_calls": [{"id": "c", "function": {"name": "add", "arguments": '{"a": 1}'}}],
                    }
                }
            ]
        },
    )
    _, requests = ask([thinking, "x"], provider="deepseek", tools=[add])
    assert requests[1].body["messages"][1]["reasoning_content"] == "hm"
    _, requests = ask([thinking, "x"], provider="openai", tools=[add])
    assert "reasoning_content" not in requests[1].body["messages"][1]


# Scripts and ensembles


def test_a_script():
    """Texts, replies, functions and exceptions come in their order; then there is none left."""

    async def later(messages):
        return f"{len(messages)} messages"

    agent = sj.testing.ScriptedAgent(
        ["a", Reply("b"), lambda messages: messages[-1]["content"], later, ValueError("no")]
    )
    assert [run(agent).text for _ in range(4)] == ["a", "b", "hello", "1 messages"]
    with pytest.raises(ValueError, match="no"):
        run(agent)
    with pytest.raises(sj.AgentError, match="the script has no reply left after 5"):
        run(agent)
    assert agent.calls == [HELLO] * 6


def test_a_script_that_loops():
    """A looping script begins again, and counts on the meter as a server would."""
    ledger = Ledger(limit=3)
    agent = ScriptedAgent([Reply("a", usage=Usage(1, 0, 2, 0)), "b"], loop=True)
    with use_meter(ledger):
        assert [run(agent).text for _ in range(3)] == ["a", "b", "a"]
        with pytest.raises(sj.EvolveError):
            run(agent)
    assert len(agent.calls) == 3
    assert ledger.events[:4] == ["before", (Usage(1, 0, 2, 0), "scripted"), "before", (None, "scripted")]


def conversation(i):
    return [{"role": "user", "content": f"number {i}"}]


def models(ensemble, indices):
    return [run(ensemble, conversation(i)).model for i in indices]


def members():
    return [(ScriptedAgent([name], loop=True, model=name), weight) for name, weight in (("a", 3), ("b", 1))]


def test_an_ensemble_draws_by_weight():
    """Three to one is three to one, in the long run."""
    drawn = models(Ensemble(members(), seed=1), range(400))
    assert 260 <= drawn.count("a") <= 340


def test_an_ensemble_draws_by_its_seed():
    """The same seed draws the same for the same conversations in any order; another seed draws otherwise."""
    drawn = models(Ensemble(members(), seed=1), range(50))
    assert models(Ensemble(members(), seed=1), reversed(range(50))) == drawn[::-1]
    assert models(Ensemble(members(), seed=2), range(50)) != drawn


def test_an_ensemble_draws_anew_for_an_equal_conversation():
    """Lanes with the same prompt do not all go to the same model."""
    assert set(models(Ensemble(members()), [0] * 30)) == {"a", "b"}


def test_an_ensemble_names_members_without_a_model():
    """Any async function is a member, and the reply says which."""

    async def someone(messages):
        return "x"

    assert run(Ensemble([(someone, 1)])).model == "someone"


@pytest.mark.parametrize("weights", [[], [0], [-1, 2], [float("nan")], [float("inf")]], ids=str)
def test_weights_are_positive(weights):
    """An ensemble nobody could be drawn from is refused."""
    with pytest.raises(sj.UsageError, match="weights above 0"):
        Ensemble([(ScriptedAgent(["x"]), weight) for weight in weights])


# Recordings


def outcome(agent, messages):
    """What a run ends in, comparable."""
    try:
        return run(agent, messages)
    except sj.SymbiontError as error:
        return (
            type(error),
            str(error),
            {k: v for k, v in vars(error).items() if k in ("status", "retries", "messages", "usage")},
        )


def test_a_replay_is_the_run_again(tmp_path):
    """Replies with tools, retries and unknown usage, overflows, refusals and turn limits come back the same, in any order."""
    script = {
        "0": [ErrorReply(500), TextReply("zero", usage=tokens(5, 4, 3, 2))],
        "1": [ToolCalls([("add", {"a": 1})]), TextReply("\N{GREEK SMALL LETTER PI}", usage=None)],
        "2": [OverflowReply("vllm")],
        "3": [ErrorReply(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})],
        "4": [ToolCalls([("add", {"a": 1})]), ToolCalls([("add", {"a": 1})])],
    }

    def reply(body):
        return script[body["messages"][0]["content"]].pop(0)

    recording, told = Recording(tmp_path / "run.jsonl"), Ledger()
    conversations = [[{"role": "user", "content": name}] for name in script]
    with Server(reply) as server, use_meter(told):
        agent = recording.record(Agent("model", server.url, KEY, tools=[add], max_turns=2, retries=QUICK))
        before = [outcome(agent, messages) for messages in conversations]
    assert [type(end) for end in before] == [Reply, Reply, tuple, tuple, tuple]
    assert KEY not in recording.path.read_text()

    again = Ledger()
    replay = Recording(recording.path).replay()
    with use_meter(again):
        after = [outcome(replay, messages) for messages in conversations]
    assert after == before
    assert again.events == told.events
    replay = Recording(recording.path).replay()
    assert [outcome(replay, messages) for messages in reversed(conversations)] == before[::-1]


def test_equal_conversations_are_replayed_in_the_order_in_which_they_were_asked(tmp_path):
    """Which lane was answered first does not change what each lane gets."""
    waits = iter([0.1, 0.05, 0.0])

    async def agent(messages):
        wait = next(waits)
        await asyncio.sleep(wait)
        return f"after {wait}"

    async def lanes(agent):
        return [reply.text for reply in await asyncio.gather(*(agent(HELLO) for _ in range(3)))]

    recording = Recording(tmp_path / "run.jsonl")
    before = asyncio.run(lanes(recording.record(agent)))
    assert before == ["after 0.1", "after 0.05", "after 0.0"]
    assert asyncio.run(lanes(recording.replay())) == before


def test_a_conversation_that_is_not_recorded(tmp_path):
    """The file is named; one that was asked too often is told apart."""
    recording = Recording(tmp_path / "run.jsonl")
    run(recording.record(ScriptedAgent(["x"])))
    replay = recording.replay()
    with pytest.raises(sj.AgentError, match=r"run\.jsonl has no run with this conversation"):
        run(replay, conversation(1))
    assert run(replay).text == "x"
    with pytest.raises(sj.AgentError, match=r"run\.jsonl has this conversation 1 times, and it is asked once more"):
        run(replay)
    with pytest.raises(sj.AgentError, match=r"no recording at .*none\.jsonl"):
        Recording(tmp_path / "none.jsonl").replay()


def test_a_budget_stops_a_replay_where_it_stopped_the_run(tmp_path):
    """A run that was stopped between two requests is stopped there again."""
    recording = Recording(tmp_path / "run.jsonl")
    with Server([ToolCalls([("add", {"a": 1})]), "never"]) as server:
        agent = recording.record(Agent("model", server.url, tools=[add]))
        with use_meter(Ledger(limit=1)), pytest.raises(sj.EvolveError, match="used up"):
            run(agent)
    ledger = Ledger(limit=1)
    with use_meter(ledger), pytest.raises(sj.EvolveError, match="used up"):
        run(recording.replay())
    assert ledger.events == ["before", (Usage(10, 0, 5, 0), "model")]
    with pytest.raises(sj.AgentError, match="stopped by its budget"):
        run(recording.replay())


def test_a_recording_is_continued_even_after_a_crash(tmp_path):
    """A line that was half written is cut off, and what follows is whole."""
    path = tmp_path / "run.jsonl"
    run(Recording(path).record(ScriptedAgent(["first"])))
    with path.open("a") as file:
        file.write('{"format": 1, "ind')
    assert run(Recording(path).replay()).text == "first"
    run(Recording(path).record(ScriptedAgent(["second"])))
    replay = Recording(path).replay()
    assert [run(replay).text for _ in range(2)] == ["first", "second"]
    assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == [0, 1]


def test_a_file_that_is_no_recording(tmp_path):
    """The line that cannot be read is named."""
    path = tmp_path / "run.jsonl"
    path.write_text('{"format": 7}\n')
    with pytest.raises(sj.AgentError, match=r"run\.jsonl, line 1, is no run of format 1"):
        Recording(path).replay()


# Secrets


def test_an_agent_does_not_show_its_key():
    """Neither repr nor str nor pickle nor the attributes have the key or a secret header."""
    agent = Agent("model", f"http://127.0.0.1:9/v1?key={KEY}", KEY, headers={"X-Api-Key": KEY[::-1], "X-Title": "t"})
    assert repr(agent) == "Agent('model', base_url='http://127.0.0.1:9/v1', provider='other')"
    shown = [str(agent), repr(vars(agent)), repr(vars(agent._connection)["_headers"]), repr(agent._connection.secrets)]
    plain = pickle.dumps(Agent("model", "http://127.0.0.1:9/v1", KEY, headers={"X-Api-Key": KEY[::-1]}))
    for text in [*shown, plain.decode("latin-1")]:
        assert KEY not in text
        assert KEY[::-1] not in text


def test_a_pickled_agent_asks_for_its_key_again(monkeypatch):
    """What comes out of a pickle reads the environment, and says so where nothing is there; a copy is whole."""
    with Server(lambda body: "x") as server:
        agent = Agent("model", server.url, KEY)
        there = pickle.loads(pickle.dumps(agent))
        with pytest.raises(sj.AgentError, match=r"never pickled.*OPENAI_API_KEY"):
            run(there)
        monkeypatch.setenv("OPENAI_API_KEY", "another key")
        run(there)
        run(copy.deepcopy(agent))
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer another key", f"Bearer {KEY}"]


ECHOES = {
    "whole": KEY,
    "masked": f"{KEY[:10]}**********{KEY[-4:]}",
    "dotted": f"{KEY[:9]}...{KEY[-4:]}",
    "end": f"gsk_\N{HORIZONTAL ELLIPSIS}{KEY[-4:]}",
    "in part": f"key={KEY[:20]}",
    "its end": f"...{KEY[-12:]}",
    "in a header": json.dumps({"Authorization": f"Bearer {KEY}"}),
}


@pytest.mark.parametrize(("echo", "status"), [*((echo, 401) for echo in ECHOES), ("whole", 400), ("whole", 500)])
def test_errors_do_not_repeat_the_key(echo, status):
    """However a server repeats the key, no part of it is in the exception or in anything the exception holds."""
    error, _ = fail(
        [ErrorReply(status, {"error": {"message": f"Incorrect API key provided: {ECHOES[echo]}. Bye."}})] * 4,
        api_key=KEY,
    )
    text = "".join(traceback.format_exception(error)) + repr(error) + pickle.dumps(error).decode("latin-1")
    assert not any(KEY[i : i + 8] in text for i in range(len(KEY) - 7))
    assert KEY[-4:] not in str(error)
    assert "[key]" in str(error)
    assert "Bye." in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "item",
    [ErrorReply(502, f"<p>{KEY}</p>"), MalformedReply(f"<p>{KEY}</p>"), DroppedConnection()],
    ids=["502", "200", "dropped"],
)
def test_errors_of_all_kinds_do_not_repeat_the_key(item):
    """Pages and broken connections are redacted too."""
    error, _ = fail([item] * 4, api_key=KEY)
    assert KEY not in str(error) + repr(vars(error))
    assert error.__context__ is None


def test_logs_do_not_show_the_key(caplog):
    """With every logger at its most talkative, no record has the key."""
    with caplog.at_level(logging.DEBUG):
        ask(
            [ErrorReply(500), ToolCalls([("add", {"a": 1})]), "x"], api_key=KEY, tools=[add], headers={"X-Api-Key": KEY}
        )
        fail([ErrorReply(401, {"error": {"message": KEY}})], api_key=KEY)
    assert caplog.records, "the client logs at this level"
    assert not any(record.name.startswith("symbiont_jit") for record in caplog.records)
    for record in caplog.records:
        assert KEY not in record.getMessage() + repr(record.args)


def test_replies_do_not_repeat_the_key(tmp_path):
    """A server or a tool that says the key does not get it into a reply, nor into a recording."""
    recording = Recording(tmp_path / "run.jsonl")
    with Server([ToolCalls([("leak", {})]), f"your key is {KEY}"]) as server:
        reply = run(recording.record(Agent("model", server.url, KEY, tools=[leak])))
    assert reply.text == "your key is [key]"
    assert KEY not in repr(reply) + recording.path.read_text()


# What an agent is


def test_any_function_is_an_agent():
    """Async functions and plain ones that give a text are agents; what cannot be called is not."""
    assert run(lambda messages: "plain").text == "plain"
    with pytest.raises(sj.UsageError, match="an agent is"):
        as_agent("gpt-5")
    with pytest.raises(sj.AgentError, match="gave int"):
        run(lambda messages: 3)
