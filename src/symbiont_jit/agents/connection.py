"""The way to one server: a client of the `openai` package for each event loop, closed with its loop.

In: the body of a request. Out: the JSON of the answer, or a `Failure`; never an exception of the client, because those
hold the request, and with it the key.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import urllib.parse
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, Final

from symbiont_jit.agents.conversation import parse_json
from symbiont_jit.agents.failures import RequestFailure, message_of, read_failure, shorten
from symbiont_jit.agents.retries import read_retry_after
from symbiont_jit.agents.secret import Secret, redact, redact_pieces
from symbiont_jit.errors import UsageError

if TYPE_CHECKING:
    import openai

__all__ = ["Connection"]

#: Sent where no key is needed; the client wants one.
PLACEHOLDER: Final = "none"
_SECRET_HEADER: Final = re.compile(r"auth|key|token|secret|cookie|session|password", re.IGNORECASE)
#: More of a body than this is not searched for an error's text.
LONGEST_ERROR: Final = 20_000


class Connection:
    """Where requests go and with what key and headers. Pickles without either."""

    def __init__(self, base_url: str, key: Secret | None, headers: Mapping[str, str], timeout: float) -> None:
        self.base_url = _require_url(base_url)
        self.timeout = timeout
        self._key = key
        self._headers = {name: _protect_header(name, value) for name, value in headers.items()}
        self._clients: dict[asyncio.AbstractEventLoop, tuple[openai.AsyncOpenAI, AsyncGenerator[Any, None]]] = {}

    @property
    def server(self) -> str:
        """The base URL as it may be shown: a query could hold a key."""
        return urllib.parse.urlsplit(self.base_url)._replace(query="", fragment="").geturl()

    @property
    def secrets(self) -> list[Secret]:
        """All that no text may repeat."""
        secrets = [value for value in self._headers.values() if isinstance(value, Secret)]
        return [*secrets, self._key] if self._key else secrets

    def redact(self, text: str) -> str:
        """A text without the key and the secret headers."""
        return redact(text, self.secrets)

    async def send(self, body: Mapping[str, Any]) -> Any | RequestFailure:
        """One request, sent once: the answer's JSON or what went wrong. Takes at most `timeout` seconds."""
        import openai

        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        client = await self._client()
        try:
            # The client's own limit is for each piece of a body: slow servers can stretch it without end.
            async with asyncio.timeout(self.timeout):
                raw = await client.chat.completions.with_raw_response.create(
                    model=body["model"], messages=body["messages"], extra_body=rest
                )
            return self._read_json(raw.http_response.text)
        except openai.APIStatusError as error:
            return self._read_refusal(error.status_code, error.response.text, error.response.headers)
        except (TimeoutError, openai.APITimeoutError):
            return RequestFailure("timeout", f"no whole answer within {self.timeout:g} seconds", is_passing=True)
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            return RequestFailure(
                "connection", self._redact_pieces(f"{type(cause).__name__}: {cause}"), is_passing=True
            )
        except (openai.OpenAIError, ValueError, TypeError) as error:
            return RequestFailure("client", self._redact_pieces(f"{type(error).__name__}: {error}"))

    async def close(self) -> None:
        """Close the connections of the running loop; without this they are closed when it ends."""
        entry = self._clients.get(asyncio.get_running_loop())
        if entry is not None:
            await entry[1].aclose()

    async def _client(self) -> openai.AsyncOpenAI:
        """The client of the running loop: making one takes tens of milliseconds, and each is bound to its loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            for other in [known for known in self._clients if known.is_closed()]:
                del self._clients[other]
            lifetime = self._open_client(loop)
            self._clients[loop] = (await anext(lifetime), lifetime)
        return self._clients[loop][0]

    async def _open_client(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[openai.AsyncOpenAI, None]:
        """A generator, because a loop closes those it has seen before it ends itself; nothing else is told."""
        import openai

        headers = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in self._headers.items()
        }
        client = openai.AsyncOpenAI(
            api_key=self._key.reveal() if self._key else PLACEHOLDER,
            base_url=self.base_url,
            timeout=self.timeout,
            max_retries=0,
            default_headers=headers,
            http_client=self._choose_transport(),
        )
        try:
            yield client
        finally:
            self._clients.pop(loop, None)
            await client.close()

    def _choose_transport(self) -> Any:
        """What the client takes by itself, but for plain HTTP without the 40 ms that certificates take to load.

        Where none are loaded, none is trusted: a redirect to TLS fails.
        """
        import openai

        if urllib.parse.urlsplit(self.base_url).scheme == "https":
            return None
        return openai.DefaultAsyncHttpxClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _read_refusal(self, status: int, text: str, headers: Mapping[str, str]) -> RequestFailure:
        text = text[:LONGEST_ERROR]
        body = parse_json(text)
        said = self._redact_pieces(message_of(body) if body is not None else text)
        return read_failure(status, body, said, read_retry_after(headers))

    def _read_json(self, text: str) -> Any | RequestFailure:
        data = parse_json(text)
        if data is not None:
            return data
        start = self._redact_pieces(text[:LONGEST_ERROR])
        return RequestFailure(
            "malformed", f"not JSON: {shorten(start)}" if start else "an empty body", 200, is_passing=True
        )

    def _redact_pieces(self, text: str) -> str:
        return redact_pieces(text, self.secrets)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_clients": {}}


def _require_url(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(
            f"base_url has to begin with http:// or https://, as in http://localhost:8000/v1, not {url!r:.80}"
        )
    if "@" in parts.netloc:
        raise UsageError("base_url holds a name or password; pass them as Agent(api_key=...) or Agent(headers=...)")
    return url


def _protect_header(name: str, value: str) -> str | Secret:
    # The client's own error for these repeats the value.
    if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
        raise UsageError(f"the header {name!r} holds characters that HTTP cannot send")
    return Secret(value) if _SECRET_HEADER.search(name) else value
