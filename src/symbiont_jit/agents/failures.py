"""What went wrong with a request, and whose fault it is: tables of statuses, of advice and of servers' wordings.

In: a status and a body. Out: a `RequestFailure`; and from a failure, the exception that a person can act on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from symbiont_jit.agents.conversation import parse_json
from symbiont_jit.agents.protocol import ContextOverflow, RequestFailed, Retry
from symbiont_jit.errors import AgentError

__all__ = ["RequestFailure", "error_of", "is_overflow", "message_of", "read_failure"]

#: How many characters of a server's text an error message repeats.
LONGEST_QUOTE: Final = 300

#: Statuses below 500 that pass by themselves (425 is Too Early); from 500 on, all do.
PASSING: Final = frozenset({408, 409, 425, 429})
#: Codes of failures that stay although their status passes: waiting does not fill an account.
STAYING: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})

#: Statuses that servers answer too long a conversation with (llama.cpp and proxies: 500; token rates: 429).
OVERFLOW_STATUSES: Final = frozenset({400, 413, 422, 429, 500})
OVERFLOW_CODES: Final = frozenset(
    {
        "context_length_exceeded",  # OpenAI, Groq, OpenRouter, DeepSeek
        "context_window_exceeded",
        "model_context_window_exceeded",  # Z.ai
        "exceed_context_size_error",  # llama.cpp
        "request_too_large",  # Anthropic
        "string_above_max_length",  # OpenAI, a message of millions of characters
        "model_max_prompt_tokens_exceeded",  # GitHub Copilot
        "1261",  # Zhipu
    }
)
#: Wordings that servers without a code use; each names one that uses it.
OVERFLOW_WORDINGS: Final = tuple(
    re.compile(wording, re.IGNORECASE)
    for wording in (
        r"maximum context length",  # OpenAI, vLLM, SGLang, OpenRouter, DeepSeek, Mistral
        r"exceeds? (?:the |this model's |its )?context (?:window|length|limit|size)",  # OpenAI, Ollama, Anthropic
        r"context (?:size|window|length) (?:has been exceeded|exceeded|exceeds)",  # llama.cpp, MiniMax, LiteLLM
        r"context shift is disabled",  # llama.cpp
        r"input is too large to process",  # llama.cpp, a batch
        r"context (?:the )?overflows",  # LM Studio
        r"prompt length \(?\d+\)? exceeds",  # TensorRT-LLM, MLX
        r"default_max_tokens \(-\d+\) should be greater than 0",  # TensorRT-LLM
        r"max_tokens must be at least 1, got -",  # vLLM, of what is left
        r"prompt exceeds max(?:imum)? length",  # Zhipu
        r"length of prompt_tokens",  # SiliconFlow
        r"token count of \d+ exceeds the limit of",  # GitHub Copilot
        r"too many (?:input )?tokens: |size limit exceeded by \d+ tokens",  # Cohere
        r"ContextWindowExceeded",  # LiteLLM
        r"exceeds? (?:the )?(?:model's )?max(?:imum)? (?:input|prompt|sequence) (?:length|tokens)",  # TGI, Bedrock
        r"longer than the (?:maximum model length|model's context length)",  # vLLM, SGLang, Together
        r"maximum model length",  # vLLM
        r"exceeds? the available context size",  # llama.cpp
        r"exceed context window of \d+",  # llama-cpp-python
        r"prompt too long; exceeded (?:max )?context length",  # Ollama
        r"`?inputs`? (?:tokens \+ `?max_new_tokens`? must be|must have less than)",  # TGI
        r"prompt is too long",  # Anthropic
        r"input is too long for requested model",  # Bedrock
        r"too large for model with",  # Mistral
        r"reduce the length of the (?:messages|prompt)",  # OpenAI, Groq
        r"request too large for",  # Groq and OpenAI: more tokens than a minute allows, which no wait changes
        r"input token count.{0,40}exceeds the maximum",  # Gemini
        r"maximum prompt length is \d+",  # xAI
        r"greater than the context length",  # LM Studio
        r"exceeded model token limit",  # Kimi
        r"range of input length should be",  # DashScope
    )
)

#: What a person can do, by status; 0 stands for an answer that never came.
ADVICE: Final[Mapping[int, str]] = {
    0: "is the server running? check OPENAI_BASE_URL or Agent(base_url=...)",
    200: "does base_url lead to an OpenAI-compatible server, and end in /v1 where it has to?",
    **dict.fromkeys(
        (301, 302, 303, 307, 308),
        "it was not followed, because key and prompt would go there; give that address as base_url if you trust it",
    ),
    400: "the model may not take one of the agent's settings (temperature, seed, max_tokens, reasoning, tools, body)",
    401: "check the key: OPENAI_API_KEY or Agent(api_key=...)",
    402: "the account has no credit left",
    403: "the key may not be used for this model",
    404: "check the model's name (OPENAI_MODEL or Agent(model=...)) and base_url, which mostly ends in /v1",
    405: "check base_url, which mostly ends in /v1",
    408: "Agent(timeout=...) is how many seconds a request may take",
    413: "the request is larger than the server, or a proxy in front of it, takes",
    422: "the model may not take one of the agent's settings (temperature, seed, max_tokens, reasoning, tools, body)",
    429: "ask fewer at a time, or wait longer with Agent(retries=RetryPolicy(...)); check the account's limits",
}


#: What a person can do about what has a reason and no status of its own.
_BY_REASON: Final[Mapping[str, str]] = {
    "timeout": ADVICE[408],
    "tls": "is it https that the server speaks, and is its certificate one that this machine trusts (SSL_CERT_FILE)?",
}


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """A request that gave no answer.

    Attributes:
        reason: A word for what happened, or the status as text.
        quote: The server's or the network's own text, without secrets.
        status: The status of HTTP; 0 where no answer came.
        retry_after: Seconds that the server asks to wait; None where it does not say.
        is_passing: Whether the request may succeed when it is sent again.
        is_overflow: Whether the conversation is longer than the model can read.
        most_retries: How often the request is worth being sent again; None where only the policy says so.
    """

    reason: str
    quote: str
    status: int = 0
    retry_after: float | None = None
    is_passing: bool = False
    is_overflow: bool = False
    most_retries: int | None = None


def read_failure(status: int, body: object, quote: str, retry_after: float | None = None) -> RequestFailure:
    """Read the failure that a server reports; `quote` is its text without secrets."""
    code = _code_of(body)
    too_long = is_overflow(status, code, quote)
    passing = (status in PASSING or status >= 500) and code not in STAYING and not too_long
    return RequestFailure(str(status), quote, status, retry_after, passing, too_long)


def is_overflow(status: int, code: str, quote: str) -> bool:
    """Whether a server says that the conversation is longer than its model can read."""
    if status not in OVERFLOW_STATUSES:
        return False
    return code in OVERFLOW_CODES or any(wording.search(quote) for wording in OVERFLOW_WORDINGS)


def message_of(body: object) -> str:
    """Find the sentence in an error's body; servers agree on no place for it.

    A gateway tells of a server behind it as text in its own error (OpenRouter's `metadata.raw`), which is opened.
    """
    if isinstance(body, list) and body:  # Gemini, and Cloudflare's `errors`.
        return message_of(body[0])
    if not isinstance(body, Mapping):
        return str(body) if body else ""
    inner = _open_envelope(body)
    for key in ("error", "errors", "message", "detail", "error_message"):
        if body.get(key):
            said = message_of(body[key])
            return said if inner is None or message_of(inner) in said else f"{said}: {message_of(inner)}"
    return json.dumps(body, default=str)


def _open_envelope(body: Mapping[str, object]) -> object | None:
    """Find the error of another server in a gateway's; None where there is none."""
    metadata = body.get("metadata")
    raw: object = metadata.get("raw") if isinstance(metadata, Mapping) else None
    if not isinstance(raw, str):
        return raw
    opened: object = parse_json(raw)
    return opened if opened is not None else raw or None


def _code_of(body: object) -> str:
    """Find an error's code, or its type where the code says nothing (llama.cpp writes the status there)."""
    if isinstance(body, list) and body:
        return _code_of(body[0])
    if not isinstance(body, Mapping):
        return ""
    inner = body.get("error")
    source = inner if isinstance(inner, Mapping) else body
    codes = [str(source.get(key) or "") for key in ("code", "type")]
    behind = _open_envelope(source)
    codes += [_code_of(behind)] if behind is not None else []
    known = [code for code in codes if code in OVERFLOW_CODES | STAYING]
    return known[0] if known else codes[0]


def error_of(failure: RequestFailure, server: str, model: str, retries: Sequence[Retry]) -> AgentError:
    """Make the exception for a failure that is final; `server` is where it happened, as it may be shown."""
    quoted = f" ({shorten(failure.quote)})" if failure.quote else ""
    tries = f" after {len(retries) + 1} requests" if retries else ""
    if failure.is_overflow:
        return ContextOverflow(f"the conversation is longer than {model!r} at {server} can read{quoted}")
    what = f"answered {failure.status}" if failure.status else f"gave no answer: {failure.reason}"
    wait = f"; it asks to wait {failure.retry_after:.0f} seconds" if failure.retry_after else ""
    advice = _BY_REASON.get(failure.reason) or ADVICE.get(failure.status, "")
    text = f"{server} {what}{tries}{quoted}{wait}" + (f"; {advice}" if advice else "")
    return RequestFailed(text, failure.status, retries)


def shorten(text: str) -> str:
    """Make one line of a text, not longer than an error message bears."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}..."
