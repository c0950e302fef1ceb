"""How servers say that a conversation is too long: a table of statuses and bodies, as each server writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["OVERFLOWS"]


def _write_error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


#: Status and JSON body, by server.
OVERFLOWS: Final[Mapping[str, tuple[int, Any]]] = {
    "openai": (
        400,
        _write_error(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. "
            "Please reduce the length of the messages.",
            type="invalid_request_error",
            param="messages",
            code="context_length_exceeded",
        ),
    ),
    "openai, code only": (
        400,
        _write_error("Bad request.", type="invalid_request_error", code="context_length_exceeded"),
    ),
    "openai, responses": (
        400,
        _write_error("Your input exceeds the context window of this model. Please adjust your input and try again."),
    ),
    "openai, rate": (
        429,
        _write_error(
            "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 41000.",
            type="tokens",
            code="rate_limit_exceeded",
        ),
    ),
    "vllm": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5192 tokens (4680 "
            "in the messages, 512 in the completion). Please reduce the length of the messages or completion.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    "vllm, max_tokens": (
        400,
        _write_error(
            "'max_tokens' or 'max_completion_tokens' is too large: 2000. This model's maximum context length is 4096 "
            "tokens and your request has 2104 input tokens (2000 > 4096 - 2104).",
            type="BadRequestError",
            code=400,
        ),
    ),
    "vllm, prompt": (
        400,
        _write_error("The decoder prompt (length 5192) is longer than the maximum model length of 4096.", code=400),
    ),
    "llama.cpp": (
        400,
        _write_error(
            "request (1407 tokens) exceeds the available context size (256 tokens), try increasing it",
            code=400,
            type="exceed_context_size_error",
            n_prompt_tokens=1407,
            n_ctx=256,
        ),
    ),
    "llama.cpp, older": (
        500,
        _write_error(
            "the request exceeds the available context size. try increasing the context size or enable context shift",
            code=500,
            type="server_error",
        ),
    ),
    "llama-cpp-python": (
        500,
        _write_error("Requested tokens (2285) exceed context window of 2048", type="internal_server_error"),
    ),
    "ollama": (400, {"error": "prompt too long; exceeded max context length by 4096 tokens"}),
    "ollama, older": (500, _write_error("the input length exceeds the context length", type="api_error")),
    "tgi": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` "
            "tokens and 512 `max_new_tokens`",
            "error_type": "validation",
        },
    ),
    "tgi, inputs": (
        422,
        {
            "error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 1300",
            "error_type": "validation",
        },
    ),
    "sglang": (
        400,
        {
            "object": "error",
            "message": "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    "sglang, sum": (
        400,
        {
            "object": "error",
            "message": "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested "
            "a total of 5000 tokens.",
            "code": 400,
        },
    ),
    "anthropic": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "prompt is too long: 208310 tokens > 200000 maximum",
            },
        },
    ),
    "anthropic, sum": (
        400,
        _write_error(
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or "
            "`max_tokens` and try again",
            type="invalid_request_error",
        ),
    ),
    "anthropic, bytes": (
        413,
        {
            "type": "error",
            "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"},
        },
    ),
    "openrouter": (
        400,
        _write_error(
            "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens "
            "(139000 of text input, 1000 in the output). Please reduce the length of either one.",
            code=400,
        ),
    ),
    "groq": (
        400,
        _write_error(
            "Please reduce the length of the messages or completion.",
            type="invalid_request_error",
            param="messages",
            code="context_length_exceeded",
        ),
    ),
    "groq, rate": (
        413,
        _write_error(
            "Request too large for model `llama-3.3-70b-versatile` on tokens per minute (TPM): Limit 6000, Requested "
            "8000, please reduce your message size and try again.",
            type="tokens",
            code="rate_limit_exceeded",
        ),
    ),
    "mistral": (
        400,
        {
            "object": "error",
            "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum "
            "context length",
            "type": "invalid_request_prompt",
            "param": None,
            "code": "3051",
        },
    ),
    "gemini": (
        400,
        _write_error(
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            code=400,
            status="INVALID_ARGUMENT",
        ),
    ),
    "xai": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        },
    ),
    "lm studio": (
        400,
        {"error": "The number of tokens to keep from the initial prompt is greater than the context length."},
    ),
    "llama.cpp, while it answers": (500, _write_error("Context size has been exceeded.", type="server_error")),
    "llama.cpp, no shift": (500, _write_error("context shift is disabled", type="server_error")),
    "llama.cpp, a batch": (
        500,
        _write_error("input is too large to process. increase the physical batch size", type="server_error"),
    ),
    "TensorRT-LLM": (400, _write_error("The prompt length (5000) exceeds the maximum input length (4096).")),
    "TensorRT-LLM, nothing left": (
        400,
        {
            "message": "default_max_tokens (-904) should be greater than 0, default_max_tokens (-904) = "
            "max_seq_len (4096) - splited_prompt_len (5000)"
        },
    ),
    "LM Studio, loaded": (
        400,
        {
            "error": "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded "
            "with context length of only 4096 tokens, which is not enough."
        },
    ),
    "MiniMax": (400, _write_error("invalid params, context window exceeds limit (2013)")),
    "Zhipu": (400, _write_error("Prompt exceeds max length", code="1261")),
    "SiliconFlow": (
        400,
        {"code": 20015, "message": "length of prompt_tokens (5000) must be less than max_seq_len (4096)."},
    ),
    "GitHub Copilot": (
        400,
        _write_error(
            "prompt token count of 130000 exceeds the limit of 128000", code="model_max_prompt_tokens_exceeded"
        ),
    ),
    "Cohere": (
        400,
        {"message": "too many tokens: size limit exceeded by 904 tokens. Try using shorter or fewer inputs"},
    ),
    "MLX": (500, {"error": "Prompt length 5000 exceeds max_kv_size 4096"}),
    "LiteLLM": (
        400,
        _write_error(
            "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: too long"
        ),
    ),
    "vLLM, nothing left": (
        400,
        {"object": "error", "message": "max_tokens must be at least 1, got -904.", "code": 400},
    ),
    "OpenRouter, behind it": (
        400,
        _write_error(
            "Provider returned error", code=400, metadata={"raw": '{"error":{"message":"Prompt is too long"}}'}
        ),
    ),
    "Gemini, a list": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (5000) exceeds the maximum number of tokens allowed",
                }
            }
        ],
    ),
    "fastapi proxy": (
        422,
        {"detail": [{"msg": "maximum context length is 4096 tokens", "type": "value_error"}]},
    ),
}
