"""Providers: whose server a URL is, and how each wants to be told how much to think."""

import json

import pytest

from symbiont_jit.agents.providers import LEVELS, PROVIDERS, provider_of
from tests.agents.asking import ask

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
