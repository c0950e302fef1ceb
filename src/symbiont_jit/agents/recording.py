"""Recordings of what an agent answered, and their replay without a server.

In: an agent and the path of a JSONL file. Out: agents. Each run is one line: the conversation, its digest, the reply or
the error, and what the meter was told. A replay finds a run by its conversation, so lanes may ask in any order. There
is no key in the file, because an agent's messages, replies and errors hold none.
"""

from __future__ import annotations

import collections
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from symbiont_jit.agents.conversation import digest_of, to_plain
from symbiont_jit.agents.protocol import (
    Ask,
    ContextOverflow,
    Message,
    Meter,
    Reply,
    RequestFailed,
    Retry,
    TurnLimit,
    Usage,
    as_agent,
    current_meter,
    use_meter,
)
from symbiont_jit.errors import AgentError

__all__ = ["Recording"]

FORMAT: Final = 1

Row = dict[str, Any]

#: How an error is made again, by its class; all other classes come back as `AgentError`.
_ERRORS: Final[Mapping[str, Callable[[Row], AgentError]]] = {
    "ContextOverflow": lambda error: ContextOverflow(error["message"]),
    "RequestFailed": lambda error: RequestFailed(error["message"], error["status"], _read_retries(error["retries"])),
    "TurnLimit": lambda error: TurnLimit(error["message"], error["messages"], Usage(**error["usage"])),
}
#: The attributes of errors that are recorded beside the message.
_PARTS: Final = ("status", "retries", "messages", "usage")


class Recording:
    """A file of runs: `record(agent)` adds to it, `replay()` answers from it.

    Args:
        path: The file, in lines of JSON. One that exists is continued by `record`.

    Example:
        >>> recording = sj.Recording("run.jsonl")
        >>> kernel.evolve(recording.record(agent), "Make it faster.")
        >>> kernel.evolve(recording.replay(), "Make it faster.")
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._next: int | None = None

    def record(self, agent: Any) -> Ask:
        """Make an agent whose runs are written down as soon as they have ended.

        Args:
            agent: Any agent.

        Returns:
            An agent that answers as the given one does.

        Raises:
            UsageError: The agent cannot be called.
        """
        ask = as_agent(agent)

        async def ask_and_record(messages: Sequence[Message]) -> Reply:
            index = self._take_index()
            tap = _Tap(current_meter())
            try:
                with use_meter(tap):
                    reply = await ask(messages)
            except Exception as error:
                # A replay has to stop where the meter stopped the run. Exceptions of other classes are not replayed.
                if tap.has_stopped:
                    self._write(index, messages, tap)
                elif isinstance(error, AgentError):
                    self._write(index, messages, tap, error=_record_of(error))
                raise
            self._write(index, messages, tap, reply=to_plain(asdict(reply)))
            return reply

        return ask_and_record

    def replay(self) -> Ask:
        """Make an agent that answers from the file.

        Returns:
            An agent. Equal conversations are answered in the order in which they were recorded, each once; a
            conversation that is not recorded, or asked too often, is an `AgentError`.

        Raises:
            AgentError: The file does not exist, or a line is no run.
        """
        runs: dict[str, collections.deque[Row]] = collections.defaultdict(collections.deque)
        for run in sorted(self._read(), key=lambda run: int(run["index"])):
            runs[run["digest"]].append(run)
        counts = {digest: len(found) for digest, found in runs.items()}

        async def answer_from_file(messages: Sequence[Message]) -> Reply:
            digest = digest_of(messages)
            if not counts.get(digest):
                raise AgentError(
                    f"{self.path} has no run with this conversation ({len(messages)} messages, {digest[:12]})"
                )
            if not runs[digest]:
                raise AgentError(f"{self.path} has this conversation {counts[digest]} times, and it is asked once more")
            return self._answer_again(runs[digest].popleft())

        return answer_from_file

    def _answer_again(self, run: Row) -> Reply:
        meter = current_meter()
        for usage, model in run["requests"]:
            if meter is not None:
                meter.before_request()
                meter.after_request(Usage(**usage) if usage else None, model)
        if "reply" in run:
            return _reply_of(run["reply"])
        if "error" in run:
            raise _error_of(run["error"])
        if meter is not None:
            meter.before_request()
        raise AgentError(f"{self.path} ends this conversation where the recorded run was stopped by its budget")

    def _take_index(self) -> int:
        """Take the next index when a run begins, so that equal conversations keep their order whichever ends first."""
        with self._lock:
            if self._next is None:
                self._cut_half_line()
                self._next = 1 + max((int(run["index"]) for run in self._read(must_exist=False)), default=-1)
            self._next += 1
            return self._next - 1

    def _write(self, index: int, messages: Sequence[Message], tap: _Tap, **end: Any) -> None:
        run = {"format": FORMAT, "index": index, "digest": digest_of(messages), "messages": to_plain(messages)}
        line = json.dumps({**run, **end, "requests": tap.requests}) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line)

    def _read(self, must_exist: bool = True) -> Iterator[Row]:
        if not self.path.exists():
            if must_exist:
                raise AgentError(f"there is no recording at {self.path}")
            return
        lines = self.path.read_text(encoding="utf-8").split("\n")
        # Text behind the last end of a line was not written to its end.
        for number, line in enumerate(lines[:-1], start=1):
            yield self._parse_run(line, number)

    def _parse_run(self, line: str, number: int) -> Row:
        try:
            run = json.loads(line)
        except ValueError:
            run = None
        if not isinstance(run, dict) or run.get("format") != FORMAT:
            raise AgentError(f"{self.path}, line {number}, is no run of format {FORMAT}")
        return run

    def _cut_half_line(self) -> None:
        """Cut off a line that a process has half written before it was ended."""
        if self.path.exists():
            whole = self.path.read_bytes()
            end = whole.rfind(b"\n") + 1
            if end < len(whole):
                os.truncate(self.path, end)


class _Tap:
    """A meter that passes everything on to another one and remembers it."""

    def __init__(self, meter: Meter | None) -> None:
        self.meter = meter
        self.requests: list[tuple[Row | None, str]] = []
        self.has_stopped = False

    def before_request(self) -> None:
        if self.meter is None:
            return
        try:
            self.meter.before_request()
        except BaseException:
            self.has_stopped = True
            raise

    def after_request(self, usage: Usage | None, model: str = "") -> None:
        self.requests.append((asdict(usage) if usage else None, model))
        if self.meter is not None:
            self.meter.after_request(usage, model)


def _reply_of(record: Row) -> Reply:
    rest = {name: record[name] for name in ("text", "model", "finish", "requests")}
    usage = Usage(**record["usage"])
    return Reply(messages=tuple(record["messages"]), usage=usage, retries=_read_retries(record["retries"]), **rest)


def _read_retries(records: Sequence[Row]) -> tuple[Retry, ...]:
    return tuple(Retry(**record) for record in records)


def _record_of(error: AgentError) -> Row:
    parts = {name: _to_plain_part(getattr(error, name)) for name in _PARTS if hasattr(error, name)}
    return {"type": type(error).__name__, "message": str(error), **parts}


def _to_plain_part(part: Any) -> Any:
    if isinstance(part, Usage):
        return asdict(part)
    return (
        to_plain([asdict(retry) if isinstance(retry, Retry) else retry for retry in part])
        if isinstance(part, tuple)
        else part
    )


def _error_of(record: Row) -> AgentError:
    build = _ERRORS.get(record["type"])
    return build(record) if build is not None else AgentError(record["message"])
