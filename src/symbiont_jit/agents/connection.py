"""The way to one server: a client of the `openai` package for each event loop, closed with its loop.

In: the body of a request. Out: the JSON of the answer, or a `RequestFailure`; never an exception of the client, because
the client's exceptions hold the request, and with it the key.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import urllib.parse
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from symbiont_jit.agents.conversation import parse_json
from symbiont_jit.agents.failures import RequestFailure, message_of, read_failure, shorten
from symbiont_jit.agents.retries import read_retry_after
from symbiont_jit.agents.secret import Secret, redact, redact_pieces
from symbiont_jit.agents.streaming import StreamedCompletion
from symbiont_jit.errors import UsageError

if TYPE_CHECKING:
    import openai

__all__ = ["Connection"]

#: The key that is sent to a server that needs none, because the client insists on one.
PLACEHOLDER: Final = "none"
_SECRET_HEADER: Final = re.compile(r"auth|key|token|secret|cookie|session|password", re.IGNORECASE)
#: How many characters of a body are searched for an error's text.
LONGEST_ERROR: Final = 20_000


class Connection:
    """Where requests go, with what key and headers; a pickle of it holds neither key nor secret headers."""

    def __init__(self, base_url: str, key: Secret | None, headers: Mapping[str, str], timeout: float) -> None:
        self.base_url = _require_url(base_url)
        self.timeout = timeout
        self._key = key
        self._has_answered = False
        self._headers = {name: _protect_header(name, value) for name, value in headers.items()}
        self._clients: dict[asyncio.AbstractEventLoop, tuple[openai.AsyncOpenAI, AsyncGenerator[Any, None]]] = {}

    @property
    def server(self) -> str:
        """The base URL without its query, which could hold a key, so that it may be shown."""
        return urllib.parse.urlsplit(self.base_url)._replace(query="", fragment="").geturl()

    @property
    def secrets(self) -> list[Secret]:
        """The key and the secret headers, which no text may repeat."""
        secrets = [value for value in self._headers.values() if isinstance(value, Secret)]
        return [*secrets, self._key] if self._key else secrets

    def redact(self, text: str) -> str:
        """Take the key and the secret headers out of a text."""
        return redact(text, self.secrets)

    async def send(self, body: Mapping[str, Any], is_streamed: bool = False) -> Any | RequestFailure:
        """Send one request once, for at most `timeout` seconds; gives the answer's JSON or what went wrong.

        An answer that is streamed is put together here.
        """
        import openai

        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        client = await self._find_client()
        try:
            # The client's own limit is for each piece of a body, which a slow server can stretch without end.
            async with asyncio.timeout(self.timeout):
                answer = await (self._collect if is_streamed else self._fetch)(client, body, rest)
            self._has_answered = True
            return answer
        except openai.APIStatusError as error:
            return self._read_refusal(error.status_code, error.response.text, error.response.headers)
        except (TimeoutError, openai.APITimeoutError):
            quote = f"no whole answer within {self.timeout:g} seconds"  # Each of them may be paid for.
            return RequestFailure("timeout", quote, is_passing=True, most_retries=1)
        except openai.APIConnectionError as error:
            return self._describe_lost(error)
        except (openai.OpenAIError, ValueError, TypeError, RecursionError) as error:
            return RequestFailure("client", self._redact_pieces(f"{type(error).__name__}: {error}"))
        except Exception as error:  # The transport's own, where the client has handed the answer over already.
            return self._describe_lost(error)

    async def _fetch(
        self, client: openai.AsyncOpenAI, body: Mapping[str, Any], rest: Mapping[str, Any]
    ) -> Any | RequestFailure:
        """Ask for an answer at once."""
        raw = await client.chat.completions.with_raw_response.create(
            model=body["model"], messages=body["messages"], extra_body=rest
        )
        return self._read_json(raw.http_response.text)

    async def _collect(
        self, client: openai.AsyncOpenAI, body: Mapping[str, Any], rest: Mapping[str, Any]
    ) -> Any | RequestFailure:
        """Ask for an answer in pieces, and put them together; a server may give it at once all the same."""
        import openai

        found = StreamedCompletion()
        options = {"stream_options": {"include_usage": True}, **rest}
        async with client.chat.completions.with_streaming_response.create(
            model=body["model"], messages=body["messages"], stream=True, extra_body=options
        ) as answer:
            if "event-stream" not in answer.headers.get("content-type", ""):
                return self._read_json(await answer.text())
            try:
                # The pieces are taken as they are: the client's own types warn of what they do not know.
                async for piece in await answer.parse(to=openai.AsyncStream[object]):
                    found.add(piece)
                    if found.is_too_long:
                        break
            except openai.APIError as error:
                if type(error) is not openai.APIError:
                    raise
                found.add({"error": error.body})  # The client has taken one of the pieces for an error.
        return self._read_json(json.dumps(found.finish()))

    async def close(self) -> None:
        """Close the connections of the running loop; without this they are closed when the loop ends."""
        entry = self._clients.get(asyncio.get_running_loop())
        if entry is not None:
            await entry[1].aclose()

    async def _find_client(self) -> openai.AsyncOpenAI:
        """Find or make the client of the running loop: each is bound to its loop, and making one takes tens of ms."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            for other in [known for known in self._clients if known.is_closed()]:
                del self._clients[other]
            lifetime = self._open_client(loop)
            self._clients[loop] = (await anext(lifetime), lifetime)
        return self._clients[loop][0]

    async def _open_client(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[openai.AsyncOpenAI, None]:
        """Open a client and close it with its loop: before a loop ends, it closes the generators that it has seen."""
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
        """Choose a transport that follows no redirect, which would send key and prompt somewhere else.

        For plain HTTP it saves the 40 ms of loading certificates.
        """
        import openai

        if urllib.parse.urlsplit(self.base_url).scheme == "https":
            return openai.DefaultAsyncHttpxClient(follow_redirects=False)
        empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return openai.DefaultAsyncHttpxClient(verify=empty, follow_redirects=False)

    def _describe_lost(self, error: Exception) -> RequestFailure:
        """Describe a connection that did not come about; one that is refused from the start mostly stays so."""
        causes = list(_list_causes(error))
        cause = causes[1] if len(causes) > 1 else error
        quote = self._redact_pieces(f"{type(cause).__name__}: {cause}")
        if any(isinstance(each, ssl.SSLError) or "SSL" in str(each) for each in causes):
            return RequestFailure("tls", quote)
        is_refused = any(isinstance(each, ConnectionRefusedError) for each in causes) or "attempts failed" in quote
        most = 1 if is_refused and not self._has_answered else None
        return RequestFailure("connection", quote, is_passing=True, most_retries=most)

    def _read_refusal(self, status: int, text: str, headers: Mapping[str, str]) -> RequestFailure:
        self._has_answered = True
        if 300 <= status < 400:
            target = urllib.parse.urlsplit(headers.get("location", ""))._replace(query="", fragment="").geturl()
            return read_failure(status, None, self._redact_pieces(f"it redirects to {target or 'nowhere'}"))
        text = text[:LONGEST_ERROR]
        body = parse_json(text)
        quote = self._redact_pieces(message_of(body) if body is not None else text)
        return read_failure(status, body, quote, read_retry_after(headers))

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


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    """List an exception and what it came of, the members of groups too."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        if isinstance(seen, BaseExceptionGroup):
            for each in seen.exceptions:
                yield from _list_causes(each)
        seen = seen.__cause__ or seen.__context__


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
    # The client's own error for such characters repeats the value.
    if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
        raise UsageError(f"the header {name!r} holds characters that HTTP cannot send")
    return Secret(value) if _SECRET_HEADER.search(name) else value
