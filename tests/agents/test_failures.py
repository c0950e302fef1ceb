"""Failures: what is final, which setting a refusal names, and what says that a conversation is too long."""

import pytest

from symbiont_jit.agents import failures
from symbiont_jit.agents.protocol import ContextOverflow, RequestFailed
from symbiont_jit.testing import OVERFLOWS, ErrorReply, OverflowReply
from tests.agents.asking import fail


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 422])
def test_what_stays_is_not_tried_again(status):
    """A refusal is final, and says what to do."""
    error, requests = fail([ErrorReply(status, {"error": {"message": "because"}}), "never"])
    assert isinstance(error, RequestFailed)
    assert error.status == status
    assert f"answered {status} (because); " in str(error)
    assert len(requests) == 1


def test_what_a_gateway_tells_of_is_opened():
    """The sentence is that of the server behind it, with the gateway's own in front."""
    raw = '{"error": {"message": "no such tool", "code": "bad_tool"}}'
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}
    assert failures.message_of(body) == "Provider returned error: no such tool"
    assert failures.message_of([{"error": {"message": "in a list"}}]) == "in a list"
    assert failures.message_of({"errors": [{"message": "of Cloudflare"}]}) == "of Cloudflare"
    assert failures.message_of({"error": {"message": "x", "metadata": {"raw": "no JSON"}}}) == "x: no JSON"
    half = r'{"error": {"message": "half \ud800 a character"}}'
    assert failures.message_of({"error": {"message": "x", "metadata": {"raw": half}}}) == "x: half ? a character"


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
        (413, "Request Entity Too Large"),
        (413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
        (400, "Invalid value for 'max_tokens': must be at least 1"),
        (400, "max_tokens must be at least 1, got 0"),
        (400, "n_ctx is not a parameter of this request"),
        (422, "prompt: field required"),
        (429, "Too many requests: size of the queue is limited"),
        (500, "the prompt template failed"),
        (400, "tool message without a preceding call"),
        (400, "context: extra fields not permitted"),
        (400, "The model does not support context caching"),
        (400, "length of stop must be at most 4"),
    ],
)
def test_other_errors_are_not_overflows(status, said):
    """A message about limits, rates or another status is not taken for one."""
    assert not failures.is_overflow(status, "", said)
