"""Code generators: warm processes that hold llvmlite and turn bitcode into object code, assembly or the text of the IR.

In: bitcode. Out: bytes, or findings as `Diagnostic`s. llvmlite has one lock a process, so work in parallel needs
processes; and the LLVM in it has assertions, so a fault of its is an abort, which must not be the user's process. No
code generator ever runs what it generates. Where none can be started, the work is done in this process.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import math
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from symbiont_jit.backend import generator
from symbiont_jit.backend.child_process import (
    MAX_MESSAGES,
    MAX_OUTPUT,
    TIMEOUT,
    describe_failure,
    drop,
    end,
    limit_memory,
    spawn,
    write_all,
)
from symbiont_jit.backend.generator import ASSEMBLY, DONE, ERROR, HEAD, IR, OBJECT, READY
from symbiont_jit.backend.toolchain import target_cpu, target_features, target_triple
from symbiont_jit.errors import Diagnostic, Stage, ToolchainError

_LOG: Final = logging.getLogger("symbiont_jit.backend")

__all__ = ["ASSEMBLY", "IR", "OBJECT", "CodeGenerators", "code_generators"]

#: The most processes; each has about 60 MB resident, most of it pages of llvmlite's library that all of them share.
MAX_PROCESSES: Final = 4
#: A process is replaced after so many units, before what LLVM keeps of each could count.
MAX_UNITS: Final = 2000
#: After so many processes in a row that could not be started, no other one is tried.
MAX_FAILURES: Final = 3
#: Seconds after one of them, and seconds after which it is tried again nevertheless.
FAILURE_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 30.0
#: Seconds to wait for another process before it is tried once more to start one.
MAX_WAIT: Final = 1.0
#: Seconds in which a process has to be ready, also on a machine that is busy.
START_SECONDS: Final = 60.0

_FRAME: Final = re.compile(r"stack frame size \((\d+)\) exceeds limit \((\d+)\)")

Outcome = bytes | list[Diagnostic]


class _Broken(Exception):  # noqa: N818 - becomes a finding or a refusal
    """Raised where a code generator ended, was too slow or wrote no answer, with the finding's rule and message."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(rule, message)
        self.finding = Diagnostic(Stage.LOWER, rule, message)


@dataclass(slots=True, eq=False)
class CodeGenerator:
    """One process, which serves one request at a time."""

    process: subprocess.Popen[bytes]
    units: int = 0
    is_ready: bool = False
    _output: bytearray = field(default_factory=bytearray)
    _messages: bytearray = field(default_factory=bytearray)
    _poll: select.poll = field(default_factory=select.poll)

    def __post_init__(self) -> None:
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            self._poll.register(pipe, select.POLLIN)

    def start(self) -> None:
        """Wait until the process can serve; raise `_Broken` where it cannot."""
        if not self.is_ready:
            status, _ = self._read_answer(0, time.monotonic() + START_SECONDS)
            if status != READY:
                raise _Broken("compiler", "it is no code generator")
            _require_warnings(bytes(self._messages))
            self.is_ready = True

    def generate(self, kind: bytes, bitcode: bytes) -> Outcome:
        """Return the answer to one request; raise `_Broken` where the process ends instead."""
        self.units += 1
        self._messages.clear()
        try:
            with contextlib.suppress(BrokenPipeError):  # The process died; reading its answer will tell why.
                write_all(self.process, HEAD.pack(kind, self.units, len(bitcode)) + bitcode, TIMEOUT)
        except TimeoutError:
            raise _Broken("limit", f"generating code took longer than {TIMEOUT:g} seconds") from None
        status, data = self._read_answer(self.units, time.monotonic() + TIMEOUT)
        if status not in (DONE, ERROR):
            raise _Broken("compiler", "the code generator gave no answer")
        return _outcome(status, data, bytes(self._messages))

    def describe_end(self) -> str:
        """Describe how the process ended by itself, and what it said."""
        return describe_failure("the code generator", self.process.wait(), bytes(self._messages))

    def _read_answer(self, number: int, deadline: float) -> tuple[bytes, bytes]:
        """Read the status and the bytes of the answer to a request; raise `_Broken` for the answer to another one.

        LLVM's messages come first, and so are in the pipe already.
        """
        self._read_up_to(HEAD.size, deadline)
        status, answered, size = HEAD.unpack_from(self._output)
        if answered != number:
            raise _Broken("compiler", f"the code generator answered request {answered}, not {number}")
        if size > MAX_OUTPUT:
            raise _Broken("limit", f"the code generator wrote more than {MAX_OUTPUT >> 10} KiB")
        self._read_up_to(HEAD.size + size, deadline)
        self._read_messages()
        if len(self._output) != HEAD.size + size:
            raise _Broken("compiler", "the code generator wrote more than an answer")
        data = bytes(self._output[HEAD.size :])
        self._output.clear()
        return status, data

    def _read_up_to(self, size: int, deadline: float) -> None:
        """Read until so many bytes of the answer are there."""
        assert self.process.stderr is not None
        messages = self.process.stderr.fileno()
        while len(self._output) < size:
            ready = self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not ready:
                raise _Broken("limit", f"generating code took longer than {TIMEOUT:g} seconds")
            if any(pipe != messages for pipe, _ in ready):
                self._read_output()
            else:
                self._read_messages()

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        chunk = os.read(self.process.stdout.fileno(), 1 << 16)
        if not chunk:
            self._read_messages()
            raise _Broken("compiler", self.describe_end())
        self._output += chunk

    def _read_messages(self) -> None:
        """Take what is in the pipe of messages, without waiting for more."""
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.process.stderr.fileno(), 1 << 16):
                self._messages += chunk[: MAX_MESSAGES - len(self._messages)]


def _require_warnings(messages: bytes) -> None:
    """Raise `ToolchainError` unless LLVM has warned of a frame that is too large: the checks of the stack need that."""
    if not _FRAME.search(messages.decode("utf-8", "replace")):
        raise ToolchainError(
            "this llvmlite does not say when a function needs too much stack; install the one that this package is "
            "tested with: pip install 'llvmlite==0.50.*'"
        )


def _outcome(status: bytes, data: bytes, messages: bytes) -> Outcome:
    """Return what was generated, unless LLVM refused it or a function needs more stack than its unit allows."""
    if status == ERROR:
        text = f"the code generator refuses what the compiler made: {data.decode('utf-8', 'replace')[:300]}"
        return [Diagnostic(Stage.LOWER, "compiler", text)]
    if len(messages) >= MAX_MESSAGES:  # A warning of a large frame may be among what was cut off.
        return [Diagnostic(Stage.LOWER, "limit", f"the code generator said more than {MAX_MESSAGES >> 10} KiB")]
    too_large = _FRAME.search(messages.decode("utf-8", "replace"))
    if too_large:
        text = f"local arrays take {too_large[1]} bytes; at most {too_large[2]}"
        return [Diagnostic(Stage.LOWER, "frame", text)]
    return data


@dataclass(slots=True, eq=False)
class CodeGenerators:
    """The pool of code generators; several threads may call it.

    `limit` is how many processes there may be. `is_refused` says that none can be started here; where that was found
    out, it is tried again after a while, because a lack of memory or processes may pass.
    """

    limit: int
    is_refused: bool = False
    _refused_at: float = math.inf
    _failures: int = 0
    _all: set[CodeGenerator] = field(default_factory=set)
    _idle: list[CodeGenerator] = field(default_factory=list)
    _lock: threading.Condition = field(default_factory=lambda: threading.Condition(threading.Lock()))

    def generate(self, kind: bytes, bitcode: bytes) -> Outcome:
        """Generate what is asked for from bitcode, or return findings."""
        chosen = self._take()
        if chosen is None:
            return _generate_here(kind, bitcode)
        try:
            outcome = chosen.generate(kind, bitcode)
        except _Broken as broken:
            self._discard(chosen)
            return [broken.finding]
        except BaseException:
            self._discard(chosen)
            raise
        self._give_back(chosen)
        return outcome

    def prewarm(self, units: int = 1) -> None:
        """Start processes for so many units that will come at about the same time, as far as the limit goes."""
        with self._lock, contextlib.suppress(OSError):
            while not self.is_refused and len(self._all) < min(units, self.limit):
                self._idle.append(self._start())

    @property
    def processes(self) -> list[subprocess.Popen[bytes]]:
        """The processes that there are."""
        return [each.process for each in self._all]

    def _take(self) -> CodeGenerator | None:
        """Take a process that can serve, for nobody else until it is given back; None where there can be none."""
        while self._may_try():
            try:
                chosen = self._next()
            except OSError as error:
                self._count_failure(str(error))
                continue
            try:
                chosen.start()
            except _Broken as broken:
                self._discard(chosen)
                self._count_failure(broken.finding.message)
            except BaseException:  # An interruption must not lose the place that the process has.
                self._discard(chosen)
                raise
            else:
                self._failures = 0
                return chosen
        return None

    def _next(self) -> CodeGenerator:
        """Return a process that waits, or a new one; raise `OSError` where none can start."""
        with self._lock:
            while True:
                while self._idle:
                    chosen = self._idle.pop()
                    if chosen.process.poll() is None:
                        return chosen
                    end(chosen.process)
                    self._all.discard(chosen)
                if len(self._all) < self.limit:
                    try:
                        return self._start()
                    except OSError:
                        if not self._all:  # Else one of the others will be free before long.
                            raise
                self._lock.wait(MAX_WAIT)

    def _may_try(self) -> bool:
        """Whether processes can be started, or it is time to see whether they can be again."""
        if self.is_refused and time.monotonic() - self._refused_at > RETRY_SECONDS:
            self.is_refused, self._failures = False, 0
        return not self.is_refused

    def _count_failure(self, reason: str) -> None:
        """Give up for a while, and say so, where no process could be started some times in a row."""
        self._failures += 1
        time.sleep(FAILURE_SECONDS)
        if self._failures >= MAX_FAILURES:
            self.is_refused, self._refused_at = True, time.monotonic()
            _LOG.warning(
                "no code generator can be started (%s): machine code is generated in this process, which an internal "
                "error of LLVM would end; another attempt follows in %g seconds",
                reason,
                RETRY_SECONDS,
            )

    def _start(self) -> CodeGenerator:
        """Start a process; the caller holds the lock, because no fork may come between."""
        process = spawn(_command())
        limit_memory(process.pid)
        started = CodeGenerator(process)
        self._all.add(started)
        return started

    def _give_back(self, chosen: CodeGenerator) -> None:
        if chosen.units >= MAX_UNITS:
            self._discard(chosen)
            return
        with self._lock:
            self._idle.append(chosen)
            self._lock.notify()

    def _discard(self, chosen: CodeGenerator) -> None:
        end(chosen.process)
        with self._lock:
            self._all.discard(chosen)
            self._lock.notify()

    def hold(self) -> None:
        """Wait before a fork until no process is half started."""
        self._lock.acquire()

    def resume(self) -> None:
        """Go on in the parent after a fork."""
        self._lock.release()

    def forget(self) -> None:
        """Close a forked child's copies of the pipes; the child starts processes of its own."""
        self._lock = threading.Condition(threading.Lock())
        for each in self._all:
            drop(each.process)
        self._all.clear()
        self._idle.clear()

    def close(self) -> None:
        """End all processes; whoever waits for one gets a finding."""
        with self._lock:
            for each in self._all:
                end(each.process)
            self._all.clear()
            self._idle.clear()
            self._lock.notify_all()


@functools.cache
def code_generators() -> CodeGenerators:
    """Return the process-wide code generators; none is started yet."""
    found = CodeGenerators(min(os.cpu_count() or 1, MAX_PROCESSES))
    os.register_at_fork(before=found.hold, after_in_parent=found.resume, after_in_child=found.forget)
    atexit.register(found.close)
    return found


@functools.cache
def _command() -> tuple[str, ...]:
    """Return what starts a code generator; raise `OSError` where there is no interpreter to start."""
    if getattr(sys, "frozen", False) or not sys.executable:
        raise OSError("this is a frozen or embedded application, whose program is no Python interpreter")
    import llvmlite

    folder = Path(llvmlite.__file__).resolve().parent.parent
    target = (target_triple(), target_cpu(), ",".join(target_features()))
    # The interpreter runs isolated and without `site`, so that it starts in half the time and reads no file of the
    # user.
    return sys.executable, "-I", "-S", str(Path(generator.__file__).resolve()), str(folder), *target


# -- where no process can be started ----------------------------------------------------------------------------------


@functools.cache
def _machine() -> Any:
    """The machine that code is generated for in this process, once LLVM is known to warn of large frames."""
    made = generator.target_machine(target_triple(), target_cpu(), ",".join(target_features()))
    with tempfile.TemporaryFile() as messages:
        with _capture_standard_error(messages.fileno()):
            generator.provoke_warning(made)
        messages.seek(0)
        _require_warnings(messages.read(MAX_MESSAGES))
    return made


_ONE_AT_A_TIME: Final = threading.RLock()


def _generate_here(kind: bytes, bitcode: bytes) -> Outcome:
    """Generate in this process, which ends where LLVM gives up, and which nothing can interrupt."""
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as messages:
        machine = _machine()
        try:
            with _capture_standard_error(messages.fileno()):
                data, status = generator.generate(machine, kind, bitcode), DONE
        except RuntimeError as error:
            data, status = str(error).encode(), ERROR
        messages.seek(0)
        return _outcome(status, data, messages.read(MAX_MESSAGES))


@contextlib.contextmanager
def _capture_standard_error(file: int) -> Iterator[None]:
    """Catch what LLVM writes of frames to standard error, because llvmlite gives no other way to hear it."""
    kept = os.dup(2)
    os.dup2(file, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
