"""An agent: requests, settings, and runs with tools, by the real client and real HTTP on both sides of a local server."""

import asyncio
import pickle
import threading

import pytest

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.protocol import Reply, TurnLimit, Usage, use_meter
from symbiont_jit.testing import ErrorReply, Server, TextReply, ToolCalls, tokens
from tests.agents.asking import HELLO, KEY, TOOLS, Ledger, add, ask, plot, run


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
