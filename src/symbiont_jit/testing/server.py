"""A local server that speaks the chat completions protocol over real HTTP and replies as a script says.

In: a script of replies, good and bad, or a function of the request. Out: a URL, and the requests that came. Each
connection has a thread of its own: 64 replies that take a second each are done in little more than one.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Final, Protocol

from symbiont_jit.testing.overflows import OVERFLOWS

__all__ = [
    "DroppedConnection",
    "ErrorReply",
    "Item",
    "MalformedReply",
    "OverflowReply",
    "ReceivedRequest",
    "Server",
    "SlowReply",
    "TextReply",
    "ToolCalls",
    "tokens",
]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that came to the server.

    Attributes:
        path: The path of the URL.
        headers: The headers of HTTP, under lower-case names.
        body: The JSON, or the text where it is none.
    """

    path: str
    headers: Mapping[str, str]
    body: Any


class Exchange(Protocol):
    """A request that waits for its answer, as an item of a script sees it."""

    request: ReceivedRequest

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds; wake at once where the server is closed."""

    def answer(
        self, status: int, body: bytes, headers: Mapping[str, str], pieces: int = 1, seconds: float = 0.0
    ) -> None:
        """Send a response, and its body in `pieces` over `seconds`."""

    def drop(self, sent: bytes = b"") -> None:
        """Close the connection after sending some bytes."""


class Item(Protocol):
    """One reply of a script."""

    def send(self, exchange: Exchange) -> None:
        """Answer the request of an exchange, or fail to."""


def tokens(prompt: int, completion: int, cached: int | None = None, reasoning: int | None = None) -> dict[str, Any]:
    """Write the `usage` of a completion.

    Args:
        prompt: Tokens that the model read.
        completion: Tokens that the model wrote.
        cached: Tokens that were in the cache; None leaves the detail out.
        reasoning: Tokens of reasoning; None leaves the detail out.
    """
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    usage["total_tokens"] = prompt + completion
    if cached is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage


_JSON: Final = {"Content-Type": "application/json"}
_IDS: Final = itertools.count()
USAGE: Final = tokens(10, 5)
#: Seconds between looks at whether the server is to close.
POLL: Final = 0.005


def _write_completion(
    request: ReceivedRequest, message: Mapping[str, Any], finish: str, usage: Mapping[str, Any] | None
) -> bytes:
    """Write a chat completion; `usage` is absent where it is None."""
    reply: dict[str, Any] = {
        "id": f"chatcmpl-{next(_IDS)}",
        "object": "chat.completion",
        "created": 0,
        "model": request.body.get("model", "") if isinstance(request.body, dict) else "",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
    }
    return json.dumps(reply if usage is None else {**reply, "usage": usage}).encode()


@dataclass(frozen=True, slots=True)
class TextReply:
    """A completion with a text.

    Args:
        text: The answer.
        usage: The count of tokens, see `tokens`; None leaves it out.
        delay: Seconds before the reply is sent.
        finish: Why the model stopped.
        reasoning: What the model thought; None leaves it out.
        reasoning_field: The field of the message that the reasoning is in.
    """

    text: str
    usage: Mapping[str, Any] | None = field(default_factory=lambda: USAGE)
    delay: float = 0.0
    finish: str = "stop"
    reasoning: str | None = None
    reasoning_field: str = "reasoning_content"

    def send(self, exchange: Exchange) -> None:
        """Send the text in a completion."""
        exchange.wait(self.delay)
        thought = {} if self.reasoning is None else {self.reasoning_field: self.reasoning}
        message = {"content": self.text, **thought}
        exchange.answer(200, _write_completion(exchange.request, message, self.finish, self.usage), _JSON)


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """A completion that calls tools.

    Args:
        calls: Pairs of a tool's name and its arguments: a mapping, or a text that may be no JSON.
        text: A text beside the calls.
        usage: The count of tokens, see `tokens`; None leaves it out.
        reasoning: What the model thought, in a field of its own; None leaves it out.
    """

    calls: Sequence[tuple[str, Any]]
    text: str | None = None
    usage: Mapping[str, Any] | None = field(default_factory=lambda: USAGE)
    reasoning: str | None = None

    def send(self, exchange: Exchange) -> None:
        """Send the calls in a completion."""
        calls = [
            {
                "id": f"call_{next(_IDS)}",
                "type": "function",
                "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            }
            for name, given in self.calls
        ]
        message = {"content": self.text, "tool_calls": calls}
        message |= {"reasoning_content": self.reasoning} if self.reasoning is not None else {}
        exchange.answer(200, _write_completion(exchange.request, message, "tool_calls", self.usage), _JSON)


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A reply of any status, mostly an error.

    Args:
        status: The status of HTTP.
        body: A mapping, which is sent as JSON, or a text, which is sent as HTML.
        headers: More headers of HTTP.
        delay: Seconds before the reply is sent.
    """

    status: int
    body: Mapping[str, Any] | str = field(default_factory=lambda: {"error": {"message": "scripted"}})
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def send(self, exchange: Exchange) -> None:
        """Send the status and the body."""
        exchange.wait(self.delay)
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        kind = {"Content-Type": "text/html"} if isinstance(self.body, str) else _JSON
        exchange.answer(self.status, text.encode(), {**kind, **self.headers})


@dataclass(frozen=True, slots=True)
class OverflowReply:
    """An error that says that the conversation is too long, in the words of a server of `OVERFLOWS`."""

    server: str

    def send(self, exchange: Exchange) -> None:
        """Send the status and the body of that server."""
        status, body = OVERFLOWS[self.server]
        ErrorReply(status, body).send(exchange)


@dataclass(frozen=True, slots=True)
class DroppedConnection:
    """The end of a connection: before anything is sent or, with `in_body`, in the middle of a body."""

    in_body: bool = False

    def send(self, exchange: Exchange) -> None:
        """Close the connection without an answer, or before its end."""
        start = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"choices'
        exchange.drop(start if self.in_body else b"")


@dataclass(frozen=True, slots=True)
class SlowReply:
    """A completion whose body takes `seconds`, in so many `pieces` that no single wait is long."""

    text: str
    seconds: float
    pieces: int = 20

    def send(self, exchange: Exchange) -> None:
        """Send the text in a completion, slowly."""
        body = _write_completion(exchange.request, {"content": self.text}, "stop", USAGE)
        exchange.answer(200, body, _JSON, self.pieces, self.seconds)


@dataclass(frozen=True, slots=True)
class MalformedReply:
    """A reply of status 200 whose body is no completion."""

    body: str = '{"choices": [{"message": {"content": "doub'
    content_type: str = "application/json"

    def send(self, exchange: Exchange) -> None:
        """Send the body."""
        exchange.answer(200, self.body.encode(), {"Content-Type": self.content_type})


Replies = Sequence[Item | str] | Callable[[Any], Item | str]


class Server:
    """A server on this machine that answers requests in the order in which they come, while its `with` block runs.

    Args:
        replies: Items and texts, or one function of a request's JSON that gives them; many threads call it.
        loop: Whether a list begins again at its end; otherwise a request too many gets status 400.

    Attributes:
        requests: The requests that came, in their order.

    Example:
        >>> with sj.testing.Server(["double half(double x) { return x / 2; }"]) as server:
        ...     half.evolve(sj.Agent("any", server.url), "Halve it.")
    """

    def __init__(self, replies: Replies, *, loop: bool = False) -> None:
        self.requests: list[ReceivedRequest] = []
        self._replies = replies
        self._loop = loop
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(POLL,), name="scripted server")

    @property
    def url(self) -> str:
        """The base URL for an agent."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._closing.set()
        self._http.shutdown()
        with self._lock:
            for connection in self._connections:
                _shut_down(connection)
        self._http.server_close()
        self._thread.join()

    def _find_reply(self, request: ReceivedRequest) -> Item:
        """Note a request and find the reply to it."""
        with self._lock:
            nth = len(self.requests)
            self.requests.append(request)
        item = self._replies(request.body) if callable(self._replies) else self._next_item(nth)
        return TextReply(item) if isinstance(item, str) else item

    def _next_item(self, nth: int) -> Item | str:
        assert not callable(self._replies)
        if self._replies and (self._loop or nth < len(self._replies)):
            return self._replies[nth % len(self._replies)]
        return ErrorReply(400, {"error": {"message": f"the script has no reply left after {len(self._replies)}"}})


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The other side was faster.


class _Http(ThreadingHTTPServer):
    # Threads are joined when the server is closed, so that no test leaves one behind.
    daemon_threads = False
    # The default of 5 would refuse lanes that come all at once.
    request_queue_size = 256

    def __init__(self, owner: Server) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _ConnectionHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of connections: a client that gives up is part of a test."""


class _ConnectionHandler(BaseHTTPRequestHandler):
    """One connection, with as many requests as the client sends; an `Exchange`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm: ClassVar[bool] = True
    server: _Http
    request: Any

    def setup(self) -> None:
        super().setup()
        with self.server.owner._lock:
            self.server.owner._connections.add(self.connection)

    def finish(self) -> None:
        with self.server.owner._lock:
            self.server.owner._connections.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request = ReceivedRequest(self.path, headers, _parse_json(raw))
        self.server.owner._find_reply(self.request).send(self)

    def wait(self, seconds: float) -> None:
        if seconds > 0:
            self.server.owner._closing.wait(seconds)

    def answer(
        self, status: int, body: bytes, headers: Mapping[str, str], pieces: int = 1, seconds: float = 0.0
    ) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        step = -(-len(body) // pieces) or 1
        for start in range(0, len(body), step):
            self.wait(seconds / pieces)
            self.wfile.write(body[start : start + step])

    def drop(self, sent: bytes = b"") -> None:
        self.wfile.write(sent)
        self.close_connection = True
        _shut_down(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Write no log; tests read `requests`."""


def _parse_json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
