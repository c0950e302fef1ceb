"""A local server that speaks the chat completions protocol over real HTTP, and says what it is told to.

In: a script of replies, good and bad, or a function of the request. Out: a URL, and the requests that came. Each
connection has its own thread: 64 replies that take a second are done in little more than one.
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
    """What came: `body` is the JSON, `headers` have lower-case names."""

    path: str
    headers: Mapping[str, str]
    body: Any


class Exchange(Protocol):
    """One request that waits for its answer, as an item of a script sees it."""

    request: ReceivedRequest

    def wait(self, seconds: float) -> None:
        """Sleep, less when the server is closed."""

    def answer(
        self, status: int, body: bytes, headers: Mapping[str, str], pieces: int = 1, seconds: float = 0.0
    ) -> None:
        """Send a response; its body in `pieces` over `seconds`."""

    def drop(self, sent: bytes = b"") -> None:
        """Close the connection, after `sent`."""


class Item(Protocol):
    """One reply of a script."""

    def send(self, exchange: Exchange) -> None:
        """Answer."""


def tokens(prompt: int, completion: int, cached: int | None = None, reasoning: int | None = None) -> dict[str, Any]:
    """The `usage` of a completion; details are left out where they are None."""
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
    """A chat completion; `usage` is absent where it is None."""
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
    """A text, after `delay` seconds. `reasoning` goes into the field of that name, `usage` None is left out."""

    text: str
    usage: Mapping[str, Any] | None = field(default_factory=lambda: USAGE)
    delay: float = 0.0
    finish: str = "stop"
    reasoning: str | None = None
    reasoning_field: str = "reasoning_content"

    def send(self, exchange: Exchange) -> None:
        """Answer."""
        exchange.wait(self.delay)
        thought = {} if self.reasoning is None else {self.reasoning_field: self.reasoning}
        message = {"content": self.text, **thought}
        exchange.answer(200, _write_completion(exchange.request, message, self.finish, self.usage), _JSON)


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Calls of tools: pairs of a name and arguments (a mapping, or a text that may be no JSON)."""

    calls: Sequence[tuple[str, Any]]
    text: str | None = None
    usage: Mapping[str, Any] | None = field(default_factory=lambda: USAGE)

    def send(self, exchange: Exchange) -> None:
        """Answer."""
        calls = [
            {
                "id": f"call_{next(_IDS)}",
                "type": "function",
                "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            }
            for name, given in self.calls
        ]
        message = {"content": self.text, "tool_calls": calls}
        exchange.answer(200, _write_completion(exchange.request, message, "tool_calls", self.usage), _JSON)


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A status with a body: a mapping is sent as JSON, a text as it is."""

    status: int
    body: Mapping[str, Any] | str = field(default_factory=lambda: {"error": {"message": "scripted"}})
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def send(self, exchange: Exchange) -> None:
        """Answer."""
        exchange.wait(self.delay)
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        kind = {"Content-Type": "text/html"} if isinstance(self.body, str) else _JSON
        exchange.answer(self.status, text.encode(), {**kind, **self.headers})


@dataclass(frozen=True, slots=True)
class OverflowReply:
    """A conversation that is too long, in the words of a server of `OVERFLOWS`."""

    server: str

    def send(self, exchange: Exchange) -> None:
        """Answer."""
        status, body = OVERFLOWS[self.server]
        ErrorReply(status, body).send(exchange)


@dataclass(frozen=True, slots=True)
class DroppedConnection:
    """The connection ends: before anything is sent, or in the middle of a body."""

    in_body: bool = False

    def send(self, exchange: Exchange) -> None:
        """Do not answer, or not to the end."""
        start = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"choices'
        exchange.drop(start if self.in_body else b"")


@dataclass(frozen=True, slots=True)
class SlowReply:
    """A text whose body takes `seconds`, in pieces: no single wait is long."""

    text: str
    seconds: float
    pieces: int = 20

    def send(self, exchange: Exchange) -> None:
        """Answer."""
        body = _write_completion(exchange.request, {"content": self.text}, "stop", USAGE)
        exchange.answer(200, body, _JSON, self.pieces, self.seconds)


@dataclass(frozen=True, slots=True)
class MalformedReply:
    """Status 200 and a body that is no completion."""

    body: str = '{"choices": [{"message": {"content": "doub'
    content_type: str = "application/json"

    def send(self, exchange: Exchange) -> None:
        """Answer."""
        exchange.answer(200, self.body.encode(), {"Content-Type": self.content_type})


Replies = Sequence[Item | str] | Callable[[Any], Item | str]


class Server:
    """`with Server([...]) as server:` answers at `server.url`, in the order in which requests come.

    `replies` are items, texts, or one function of a request's JSON that gives them (called by many threads). `loop`
    begins a list again at its end; otherwise a request too many gets status 400. `requests` has all that came.
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
        """Note a request and find its reply."""
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
        return  # the other side was faster


class _Http(ThreadingHTTPServer):
    # Joined when the server is closed, so that no test leaves a thread behind.
    daemon_threads = False
    # The default of 5 refuses lanes that come all at once.
    request_queue_size = 256

    def __init__(self, owner: Server) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
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
        """Tests read `requests`, not a log."""


def _parse_json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
