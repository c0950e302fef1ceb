"""OpenTelemetry spans and metrics of the repair loop, by OpenTelemetry's conventions for generative AI.

In: what the loop does. Out: spans `invoke_agent` (a lane) and `chat` (a request with its tools), token and duration
metrics. Only the API package is used, so nothing happens until the user configures an exporter, nor where the package
is missing. Prompts and replies are in the trace and not here.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from symbiont_jit.agents.protocol import Reply
from symbiont_jit.llm.trace import Attempt
from symbiont_jit.signature import Signature

__all__ = ["record_attempt", "trace_lane", "trace_request"]

_NAME: Final = "symbiont_jit"


@functools.cache
def _find_tracer() -> Any | None:
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace.get_tracer(_NAME)


@functools.cache
def _make_instruments() -> tuple[Any, Any, Any] | None:
    try:
        from opentelemetry import metrics
    except ImportError:
        return None
    meter = metrics.get_meter(_NAME)
    return (
        meter.create_histogram("gen_ai.client.token.usage", "{token}", "Tokens of a request"),
        meter.create_histogram("gen_ai.client.operation.duration", "s", "Seconds of a request"),
        meter.create_counter("symbiont_jit.attempts", "{attempt}", "Attempts by what became of them"),
    )


@contextlib.contextmanager
def _open_span(name: str, attributes: dict[str, Any]) -> Iterator[Any]:
    tracer = _find_tracer()
    if tracer is None:
        yield None
        return
    with tracer.start_as_current_span(name, attributes=attributes) as span:
        yield span


@contextlib.contextmanager
def trace_lane(index: int, signatures: Sequence[Signature]) -> Iterator[None]:
    """Open a span for a lane, from its first request to its end."""
    names = ", ".join(s.name for s in signatures)
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": names, "symbiont_jit.lane": index}
    with _open_span(f"invoke_agent {names}", attributes):
        yield


@contextlib.contextmanager
def trace_request(messages: Sequence[Any]) -> Iterator[Callable[[Reply], None]]:
    """Open a span for one run of the agent; yields a function that adds the reply to it."""
    with _open_span("chat", {"gen_ai.operation.name": "chat", "symbiont_jit.messages": len(messages)}) as span:

        def add_reply(reply: Reply) -> None:
            if span is not None:
                span.set_attributes(_describe_reply(reply))

        yield add_reply


def _describe_reply(reply: Reply) -> dict[str, Any]:
    known = {
        "gen_ai.usage.input_tokens": reply.usage.input,
        "gen_ai.usage.output_tokens": reply.usage.output,
        "gen_ai.usage.cache_read.input_tokens": reply.usage.cached,
    }
    return {
        "gen_ai.request.model": reply.model or "unknown",
        "gen_ai.response.finish_reasons": [reply.finish],
        **(known if reply.usage.is_known else {}),
    }


def record_attempt(done: Attempt) -> None:
    """Record what an attempt used and what became of it."""
    instruments = _make_instruments()
    if instruments is None:
        return
    tokens, seconds, attempts = instruments
    common = {"gen_ai.operation.name": "chat", "gen_ai.response.model": done.model or "unknown"}
    if done.usage.is_known:
        tokens.record(done.usage.input, {**common, "gen_ai.token.type": "input"})
        tokens.record(done.usage.output, {**common, "gen_ai.token.type": "output"})
    if "model" in done.stages:
        seconds.record(done.stages["model"], common)
    attempts.add(1, {"symbiont_jit.kind": done.kind, "symbiont_jit.decision": done.decision})
