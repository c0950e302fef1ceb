"""The agent that asks a model: chat completions at any OpenAI-compatible server, by the `openai` package.

In: messages. Out: a `Reply` after as many turns with tools as it takes, or an `AgentError` that says what to do.
The key is in nothing that comes out of here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from symbiont_jit.agents.completion import Completion, read_completion
from symbiont_jit.agents.connection import Connection
from symbiont_jit.agents.failures import RequestFailure, error_of
from symbiont_jit.agents.protocol import Message, Reply, Retry, TurnLimit, Usage, current_meter
from symbiont_jit.agents.providers import LEVELS, provider_of
from symbiont_jit.agents.retries import RetryPolicy, send_with_retries
from symbiont_jit.agents.secret import Secret
from symbiont_jit.agents.tools import Tool, run_call, tools_of
from symbiont_jit.errors import AgentError, UsageError

__all__ = ["Agent"]

OPENAI: Final = "https://api.openai.com/v1"
_OFFLINE: Final = "without any model there is the offline proposer, sj.Mutator()"


class Agent:
    """A model at a server. Call it with messages and await the `Reply`.

    `model`, `base_url` and `api_key` default to OPENAI_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY, read here and now. A
    server that needs no key needs `base_url` only. `temperature`, `seed` and `max_tokens` are sent where they are
    given; `reasoning` is none, minimal, low, medium, high or xhigh, said as the server's `provider` says it (guessed from
    the base URL unless given, see `providers.py`); `body` has more fields of the request and wins over all others.

    `tools` are functions with type hints and a docstring, called for the model in at most `max_turns` requests.
    `timeout` is in seconds for each request, `retries` a number or a `RetryPolicy`. An agent may be used from many
    tasks and from one event loop after another.

    Raises `AgentError` without a key or a model, `UsageError` for settings that mean nothing.
    """

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        temperature: float | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
        reasoning: str | None = None,
        tools: Sequence[Callable[..., Any] | Tool] = (),
        max_turns: int = 8,
        timeout: float = 120.0,
        retries: RetryPolicy | int = 5,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        provider: str | None = None,
    ) -> None:
        url = base_url or os.environ.get("OPENAI_BASE_URL") or ""
        self.model = _require_model(model)
        self.provider = provider_of(url or OPENAI, provider)
        self.tools = tools_of(tools)
        self.max_turns = _require_at_least(max_turns, 1, "max_turns")
        self.retries = retries if isinstance(retries, RetryPolicy) else RetryPolicy(retries)
        self._connection = Connection(
            url or OPENAI, _find_key(api_key, bool(url)), headers or {}, _require_positive(timeout)
        )
        settings = {"temperature": temperature, self.provider.seed: seed, self.provider.limit: max_tokens}
        self._settings = self._request_fields(settings, reasoning, body or {})

    async def __call__(self, messages: Sequence[Message]) -> Reply:
        """One run: the conversation goes to the model until it answers with a text."""
        said: list[Message] = []
        usage, retries, requests = Usage(), list[Retry](), 0
        for turn in range(self.max_turns):
            answer, waits = await self._request_turn([*messages, *said])
            requests += 1 + len(waits)
            retries += waits
            usage += answer.usage
            said.append(answer.message)
            if not answer.calls:
                return Reply(answer.text, tuple(said), usage, self.model, answer.finish, requests, tuple(retries))
            said += await self._run_calls(answer, is_last=turn == self.max_turns - 1)
        raise TurnLimit(f"{self.model!r} called tools for {self.max_turns} turns and gave no answer", said, usage)

    async def close(self) -> None:
        """Close the connections of the running event loop now; they are closed with it in any case."""
        await self._connection.close()

    def __repr__(self) -> str:
        return f"Agent({self.model!r}, base_url={self._connection.server!r}, provider={self.provider.name!r})"

    async def _request_turn(self, messages: Sequence[Message]) -> tuple[Completion, list[Retry]]:
        """The model's next turn. Its error is raised where no exception of the client is under way: none is chained."""
        body = {"model": self.model, "messages": [dict(message) for message in messages], **self._settings}
        outcome, retries = await send_with_retries(lambda: self._send_metered(body), self.retries)
        if isinstance(outcome, RequestFailure):
            raise error_of(outcome, self._connection.server, self.model, retries)
        return outcome, retries

    async def _send_metered(self, body: Mapping[str, Any]) -> Completion | RequestFailure:
        """One request, on the meter before and after, even where it is cancelled."""
        meter = current_meter()
        if meter is not None:
            meter.before_request()
        usage: Usage | None = None
        try:
            outcome = await self._send_once(body)
            if isinstance(outcome, Completion) and outcome.usage.is_known:
                usage = outcome.usage
            return outcome
        finally:
            if meter is not None:
                meter.after_request(usage, self.model)

    async def _send_once(self, body: Mapping[str, Any]) -> Completion | RequestFailure:
        data = await self._connection.send(body)
        return (
            data
            if isinstance(data, RequestFailure)
            else read_completion(data, self.provider.echo, self._connection.redact)
        )

    async def _run_calls(self, answer: Completion, is_last: bool) -> list[Message]:
        """A result for each call: a conversation without them could not go on."""
        results: list[Message] = []
        for call in answer.calls:
            text = "error: not called, the turns are used up" if is_last else await run_call(call, self.tools)
            results.append({"role": "tool", "tool_call_id": call.id, "content": self._connection.redact(text)})
        return results

    def _request_fields(
        self, settings: Mapping[str, Any], reasoning: str | None, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The request without model and messages."""
        if reasoning is not None and reasoning not in LEVELS:
            raise UsageError(f"reasoning={reasoning!r} is not known; the levels are {', '.join(LEVELS)}")
        if body.get("stream") or "messages" in body or "model" in body:
            raise UsageError("body cannot hold model or messages, which are given otherwise, nor ask for a stream")
        fields = {name: value for name, value in settings.items() if value is not None}
        fields |= self.provider.reasoning(reasoning) if reasoning is not None else {}
        fields |= {"tools": [tool.describe() for tool in self.tools.values()]} if self.tools else {}
        return {**fields, **{name: _merge(fields.get(name), value) for name, value in body.items()}}


def _merge(ours: Any, theirs: Any) -> Any:
    """The user's value; of two dictionaries, both, so that `chat_template_kwargs` can be added to."""
    return {**ours, **theirs} if isinstance(ours, Mapping) and isinstance(theirs, Mapping) else theirs


def _require_model(model: str | None) -> str:
    found = model or os.environ.get("OPENAI_MODEL")
    if not found:
        raise AgentError(f"no model: set OPENAI_MODEL, or name it as in sj.Agent('gpt-5'); {_OFFLINE}")
    return found


def _find_key(api_key: str | None, has_server: bool) -> Secret | None:
    """The key, or `None` where a server was named, which may need none."""
    text = (api_key or os.environ.get("OPENAI_API_KEY") or "").strip()
    if text and not (text.isascii() and text.isprintable()):
        # The client's own error for this repeats the key.
        raise UsageError("the key (OPENAI_API_KEY or api_key) holds characters that HTTP cannot send")
    if not text and not has_server:
        raise AgentError(
            "no key: set OPENAI_API_KEY, or pass sj.Agent(api_key=...); a server of your own needs only "
            f"OPENAI_BASE_URL or sj.Agent(base_url=...); {_OFFLINE}"
        )
    return Secret(text, "OPENAI_API_KEY") if text else None


def _require_positive(seconds: float) -> float:
    if not seconds > 0:
        raise UsageError(f"timeout={seconds!r} has to be more than 0 seconds")
    return seconds


def _require_at_least(number: int, least: int, name: str) -> int:
    if number < least:
        raise UsageError(f"{name}={number!r} has to be at least {least}")
    return number
