"""The agent that asks a model: chat completions at any OpenAI-compatible server, by the `openai` package.

In: messages. Out: a `Reply` after as many turns with tools as it takes, or an `AgentError` that says what to do.
No reply, error or text of an agent holds the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from symbiont_jit.agents.completion import Completion, prepare_message, read_completion
from symbiont_jit.agents.connection import Connection
from symbiont_jit.agents.demands import Demands
from symbiont_jit.agents.failures import RequestFailure, error_of, shorten
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
    """A model at a server that speaks chat completions.

    An agent is called with messages and gives a `Reply` to await. It may be used from many tasks, and from one event
    loop after another.

    Args:
        model: The name of the model; by default OPENAI_MODEL, read when the agent is made.
        base_url: Where the server is, mostly ending in `/v1`; by default OPENAI_BASE_URL, else OpenAI's own.
        api_key: The key; by default OPENAI_API_KEY. A server of your own may need none.
        temperature: How freely the model draws its words; sent where it is given.
        seed: The seed of that drawing; sent where it is given.
        max_tokens: The most tokens of an answer; sent where it is given.
        reasoning: How much to think: none, minimal, low, medium, high or xhigh; sent as the provider spells it.
        tools: Functions with type hints and a docstring that the model may call. A parameter may be of any type that
            pydantic reads from JSON: numbers, texts, lists, dictionaries, Literal, Optional, dataclasses, models.
        max_turns: The most turns of one run; each turn is an answer of the model, and all but the last may call tools.
        timeout: Seconds that one request may take.
        retries: How often a request that failed for a passing reason is sent again: a number or a `RetryPolicy`.
        headers: More headers of HTTP.
        body: More fields of the request; they win over all others.
        provider: How the server spells its settings: a name of `PROVIDERS`, by default known by the base URL.

    Raises:
        AgentError: There is no model, or neither a key nor a server of your own.
        UsageError: A setting means nothing, or a tool cannot be described to a model.

    Example:
        >>> agent = sj.Agent("gpt-5", reasoning="low", tools=[probe])
        >>> kernel.evolve(agent, "Make it faster.")
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
        self._demands = Demands(frozenset(self.provider.echo))

    async def __call__(self, messages: Sequence[Message]) -> Reply:
        """Run the conversation until the model answers with a text.

        Args:
            messages: The conversation so far: mappings with `role` and `content`.

        Returns:
            The answer, with all messages that are new in the conversation and the tokens of all turns.

        Raises:
            ContextOverflow: The conversation is longer than the model can read.
            TurnLimit: The model called tools until its turns were used up.
            RequestFailed: The server could not be reached or did not answer as asked.
        """
        new: list[Message] = []
        usage, retries, requests = Usage(), list[Retry](), 0
        for turn in range(self.max_turns):
            answer, waits = await self._request_turn([*messages, *new])
            requests += 1 + len(waits)
            retries += waits
            usage += answer.usage
            new.append(answer.message)
            if not answer.calls:
                return Reply(answer.text, tuple(new), usage, self.model, answer.finish, requests, tuple(retries))
            new += await self._run_calls(answer, is_last=turn == self.max_turns - 1)
        raise TurnLimit(f"{self.model!r} called tools for {self.max_turns} turns and gave no answer", new, usage)

    async def close(self) -> None:
        """Close the connections of the running event loop now; without this they are closed when the loop ends."""
        await self._connection.close()

    def __repr__(self) -> str:
        return f"Agent({self.model!r}, base_url={self._connection.server!r}, provider={self.provider.name!r})"

    async def _request_turn(self, messages: Sequence[Message]) -> tuple[Completion, list[Retry]]:
        """Ask for the next turn; its error is raised outside of `except`, so that no exception with a key is in it."""
        retries: list[Retry] = []
        while True:
            outcome, waits = await send_with_retries(lambda: self._send_metered(messages), self.retries)
            retries += waits
            if not isinstance(outcome, RequestFailure):
                return outcome, retries
            learnt = self._demands.learn(outcome)
            if learnt is None:
                raise error_of(outcome, self._connection.server, self.model, retries)
            self._demands = learnt
            retries.append(Retry(shorten(outcome.quote), 0.0))

    async def _send_metered(self, messages: Sequence[Message]) -> Completion | RequestFailure:
        """Send one request and tell the meter before and after it, even where it is cancelled."""
        meter = current_meter()
        if meter is not None:
            meter.before_request()
        usage: Usage | None = None
        try:
            outcome = await self._send_once(messages)
            if isinstance(outcome, Completion) and outcome.usage.is_known:
                usage = outcome.usage
            return outcome
        finally:
            if meter is not None:
                meter.after_request(usage, self.model)

    async def _send_once(self, messages: Sequence[Message]) -> Completion | RequestFailure:
        prepared = [prepare_message(message, self._demands.echo) for message in messages]
        body = {"model": self.model, "messages": prepared, **self._settings}
        data = await self._connection.send(body, self._demands.is_streamed)
        return data if isinstance(data, RequestFailure) else read_completion(data, self._connection.redact)

    async def _run_calls(self, answer: Completion, is_last: bool) -> list[Message]:
        """Run the model's calls and give a result for each: a conversation without them could not go on."""
        results: list[Message] = []
        for call in answer.calls:
            text = "error: not called, the turns are used up" if is_last else await run_call(call, self.tools)
            results.append({"role": "tool", "tool_call_id": call.id, "content": self._connection.redact(text)})
        return results

    def _request_fields(
        self, settings: Mapping[str, Any], reasoning: str | None, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make the fields of a request besides model and messages."""
        if reasoning is not None and reasoning not in LEVELS:
            raise UsageError(f"reasoning={reasoning!r} is not known; the levels are {', '.join(LEVELS)}")
        if body.get("stream") or "messages" in body or "model" in body:
            raise UsageError("body cannot hold model or messages, which are given otherwise, nor ask for a stream")
        fields = {name: value for name, value in settings.items() if value is not None}
        fields |= self.provider.reasoning(reasoning) if reasoning is not None else {}
        fields |= {"tools": [tool.describe() for tool in self.tools.values()]} if self.tools else {}
        return {**fields, **{name: _merge(fields.get(name), value) for name, value in body.items()}}


def _merge(ours: Any, theirs: Any) -> Any:
    """Take the user's value; two dictionaries are merged, so that `chat_template_kwargs` can be added to."""
    return {**ours, **theirs} if isinstance(ours, Mapping) and isinstance(theirs, Mapping) else theirs


def _require_model(model: str | None) -> str:
    found = model or os.environ.get("OPENAI_MODEL")
    if not found:
        raise AgentError(f"no model: set OPENAI_MODEL, or name it as in sj.Agent('gpt-5'); {_OFFLINE}")
    return found


def _find_key(api_key: str | None, has_server: bool) -> Secret | None:
    """Find the key; None where a server was named, which may need none."""
    text = (api_key or os.environ.get("OPENAI_API_KEY") or "").strip()
    if text and not (text.isascii() and text.isprintable()):
        # The client's own error for such a key repeats it.
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
