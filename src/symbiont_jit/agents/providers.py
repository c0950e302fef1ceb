"""Providers of models: what each calls the settings that the protocol has no single name for.

In: the base URL of a server, or a provider's name. Out: a `Provider`, from a table. What a user passes as `body`
overrides it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.errors import UsageError

__all__ = ["LEVELS", "PROVIDERS", "Provider", "provider_of"]

#: How much to think, least first. A server that does not have a level says so itself.
LEVELS: Final = ("none", "minimal", "low", "medium", "high", "xhigh")

#: Tokens of thinking by level for Anthropic, which takes 1024 at the least.
_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}

ExtraBody = dict[str, Any]


def _write_effort(level: str) -> ExtraBody:
    return {"reasoning_effort": level}


def _write_nested_effort(level: str) -> ExtraBody:
    return {"reasoning": {"effort": level}}


def _write_template(level: str) -> ExtraBody:
    """Write a level for chat templates: they read one of these names (Qwen, GLM / DeepSeek, gpt-oss) and no other."""
    is_on = level != "none"
    effort = {"reasoning_effort": level} if is_on else {}
    return {"chat_template_kwargs": {"enable_thinking": is_on, "thinking": is_on, **effort}}


def _write_template_and_effort(level: str) -> ExtraBody:
    return _write_template(level) if level == "none" else {**_write_template(level), **_write_effort(level)}


def _write_thinking_type(level: str) -> ExtraBody:
    return {"thinking": {"type": "disabled" if level == "none" else "enabled"}}


def _write_thinking_budget(level: str) -> ExtraBody:
    if level == "none":
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {"type": "enabled", "budget_tokens": _BUDGETS[level]}}


def _enable_thinking(level: str) -> ExtraBody:
    return {"enable_thinking": level != "none"}


@dataclass(frozen=True, slots=True)
class Provider:
    """The way in which one kind of server spells its settings.

    Attributes:
        name: What the provider is called.
        where: A pattern that its base URLs match.
        reasoning: Turns a level of reasoning into fields of the request.
        limit: The field that limits the tokens of an answer.
        seed: The field of the seed.
        echo: Fields of an answer that have to go back to the server with it; an agent finds others out by itself.
    """

    name: str
    where: str
    reasoning: Callable[[str], ExtraBody] = _write_effort
    limit: str = "max_tokens"
    seed: str = "seed"
    echo: tuple[str, ...] = ()


#: The first provider whose pattern matches is taken, and the last one matches all; ports are the servers' defaults.
_TABLE: Final = (
    Provider("openai", r"//api\.openai\.com|\.openai\.azure\.com|\.api\.openai\.com", limit="max_completion_tokens"),
    Provider("openrouter", r"//openrouter\.ai", _write_nested_effort, echo=("reasoning_details",)),
    Provider("anthropic", r"//api\.anthropic\.com", _write_thinking_budget),
    Provider("deepseek", r"//api\.deepseek\.com", _write_thinking_type, echo=("reasoning_content",)),
    Provider("moonshot", r"//api\.moonshot\.(?:ai|cn)", _write_thinking_type, echo=("reasoning_content",)),
    Provider("gemini", r"//generativelanguage\.googleapis\.com"),
    Provider("groq", r"//api\.groq\.com", limit="max_completion_tokens"),
    Provider("mistral", r"//api\.mistral\.ai", seed="random_seed"),
    Provider("xai", r"//api\.x\.ai"),
    Provider("dashscope", r"//dashscope[\w-]*\.aliyuncs\.com", _enable_thinking),
    Provider("zai", r"//api\.z\.ai|//open\.bigmodel\.cn", _write_thinking_type),
    Provider("ollama", r"//ollama\.com|:11434\b"),
    Provider("llama.cpp", r":8080\b", _write_template),
    Provider("sglang", r":30000\b", _write_template_and_effort),
    Provider("vllm", r":8000\b", _write_template_and_effort),
    Provider("other", r""),
)
PROVIDERS: Final[Mapping[str, Provider]] = {provider.name: provider for provider in _TABLE}


def provider_of(base_url: str, name: str | None = None) -> Provider:
    """Find a provider by its name, or by a base URL; raises `UsageError` for an unknown name."""
    if name is None:
        return next(provider for provider in _TABLE if re.search(provider.where, base_url))
    if name not in PROVIDERS:
        raise UsageError(f"provider={name!r} is not known; there are {', '.join(PROVIDERS)}")
    return PROVIDERS[name]
