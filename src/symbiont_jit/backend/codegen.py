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
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from symbiont_jit.backend import generator
from symbiont_jit.backend.child_process import (
    MAX_MESSAGES,
    MAX_OUTPUT,
    Child,
    ChildError,
    Deadline,
    again_where_lost,
    spawn,
)
from symbiont_jit.backend.generator import ASSEMBLY, AUDITED, DONE, ERROR, HEAD, IR, OBJECT, READY, UNDEFINED
from symbiont_jit.backend.llvm_lock import llvm_lock
from symbiont_jit.backend.toolchain import target_cpu, target_features, target_triple
from symbiont_jit.errors import Diagnostic, Stage, ToolchainError
from symbiont_jit.uninterrupted import LOCK, once, step, uninterrupted

_LOG: Final = logging.getLogger("symbiont_jit.backend")

__all__ = ["ASSEMBLY", "AUDITED", "IR", "OBJECT", "CodeGenerators", "code_generators"]

#: The most processes; each has about 60 MB resident, most of it pages of llvmlite's library that all of them share.
MAX_PROCESSES: Final = 4
#: A process is replaced after so many units, before what LLVM keeps of each could count.
MAX_UNITS: Final = 2000
#: After so many processes in a row that could not be started, no other one is tried.
MAX_FAILURES: Final = 3
#: Seconds to wait after a start that failed, and seconds after which a start is tried although it was given up.
FAILURE_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 30.0
#: Seconds to wait for another process before it is tried once more to start one.
MAX_WAIT: Final = 1.0
#: Seconds in which a process has to be ready, also on a machine that is busy.
START_SECONDS: Final = 60.0
#: Seconds in which a process that has closed its output has to end.
END_SECONDS: Final = 1.0

_FRAME: Final = re.compile(r"stack frame size \((\d+)\) exceeds limit \((\d+)\)")

CodeOrFindings = bytes | list[Diagnostic]


@dataclass(slots=True, eq=False)
class CodeGenerator:
    """One process, which serves one request at a time; `is_closed` says that the pool has ended it."""

    child: Child
    units: int = 0
    is_ready: bool = False
    is_closed: bool = False

    def start(self) -> None:
        """Wait until the process can serve; raise `ChildError` where it cannot."""
        if not self.is_ready:
            status, _ = self._read_answer(0, Deadline(START_SECONDS))
            if status != READY:
                raise ChildError("compiler", "it is no code generator")
            _require_warnings(bytes(self.child.messages))
            self.is_ready = True

    def generate(self, kind: bytes, bitcode: bytes, deadline: Deadline) -> CodeOrFindings:
        """Return the answer to one request; raise `ChildError` where there is none."""
        self.units += 1
        self.child.messages.clear()
        self.child.write(HEAD.pack(kind, self.units, len(bitcode)) + bitcode, deadline)
        status, data = self._read_answer(self.units, deadline)
        if status not in (DONE, ERROR, UNDEFINED):
            raise ChildError("compiler", "the code generator gave no answer")
        return _read_answer(status, data, bytes(self.child.messages))

    def _read_answer(self, number: int, deadline: Deadline) -> tuple[bytes, bytes]:
        """Read the status and the bytes of the answer to a request; raise `ChildError` for the answer to another one.

        LLVM's messages come first, and so are in the pipe already.
        """
        output = self.child.output
        self._read_up_to(HEAD.size, deadline)
        status, answered, size = HEAD.unpack_from(output)
        if answered != number:
            raise ChildError("compiler", f"the code generator answered request {answered}, not {number}")
        if size > MAX_OUTPUT - HEAD.size:
            raise ChildError("limit", f"the code generator wrote more than {MAX_OUTPUT >> 10} KiB")
        self._read_up_to(HEAD.size + size, deadline)
        self.child.read_messages()
        if len(output) != HEAD.size + size:
            raise ChildError("compiler", "the code generator wrote more than an answer")
        data = bytes(output[HEAD.size :])
        output.clear()
        return status, data

    def _read_up_to(self, size: int, deadline: Deadline) -> None:
        """Read until so many bytes of the answer are there."""
        while len(self.child.output) < size:
            if self.child.has_closed_output:
                raise ChildError("compiler", self._describe_end())
            self.child.read(deadline)

    def _describe_end(self) -> str:
        """Describe how the process ended, or that it serves no more and yet lives on."""
        self.child.read_messages()
        try:
            return self.child.describe_failure(self.child.wait(Deadline(END_SECONDS)))
        except ChildError:
            return "the code generator has closed its output"


def _require_warnings(messages: bytes) -> None:
    """Raise `ToolchainError` unless LLVM has warned of a frame that is too large: the checks of the stack need that."""
    if not _FRAME.search(messages.decode("utf-8", "replace")):
        raise ToolchainError(
            "this llvmlite does not say when a function needs too much stack; install the one that this package is "
            "tested with: pip install 'llvmlite==0.50.*'"
        )


def _read_answer(status: bytes, data: bytes, messages: bytes) -> CodeOrFindings:
    """Return what was generated, unless LLVM refused it or a function needs more stack than its unit allows."""
    if status == UNDEFINED:
        text = f"{data.decode('utf-8', 'replace')}: something in the text has no defined value; write it more plainly"
        return [Diagnostic(Stage.LOWER, "undefined", text)]
    if status == ERROR:
        text = f"the code generator refuses what the compiler made: {data.decode('utf-8', 'replace')[:300]}"
        return [Diagnostic(Stage.LOWER, "compiler", text)]
    too_large = _FRAME.search(messages.decode("utf-8", "replace"))
    if too_large:
        text = f"local arrays take {too_large[1]} bytes; at most {too_large[2]}"
        return [Diagnostic(Stage.LOWER, "frame", text)]
    return data


@dataclass(slots=True, eq=False)
class CodeGenerators:
    """The pool of code generators; several threads may call it.

    `limit` is how many processes there may be. `is_refused` says that none can be started here; where that was found
    out at once, it is tried again after a while, because a lack of memory or processes may pass.
    """

    limit: int
    is_refused: bool = False
    _refused_at: float = math.inf
    _failures: int = 0
    _untold: list[tuple[str, str]] = field(default_factory=list)
    _all: set[CodeGenerator] = field(default_factory=set)
    _idle: list[CodeGenerator] = field(default_factory=list)
    _frees: int = 0
    _freed: threading.Condition = field(default_factory=lambda: threading.Condition(LOCK))

    @uninterrupted
    def generate(self, kind: bytes, bitcode: bytes, deadline: Deadline | None = None) -> CodeOrFindings:
        """Generate what is asked for from bitcode before a deadline, by default one of its own, or return findings.

        A process that somebody has killed, as the system does when memory is short, is no finding about the bitcode, so
        another one is asked.
        """
        until = deadline or Deadline()

        def generate_once() -> tuple[CodeOrFindings, bool]:
            return again_where_lost(lambda: self._generate_once(kind, bitcode, until))

        outcome, was_killed = generate_once()
        return generate_once()[0] if was_killed else outcome

    def _generate_once(self, kind: bytes, bitcode: bytes, deadline: Deadline) -> tuple[CodeOrFindings, bool]:
        """Generate in one process; return besides whether somebody has killed it."""
        try:
            chosen = self._take()
        except ChildError as error:
            return [error.finding()], False
        if chosen is None:
            return _generate_here(kind, bitcode), False
        try:
            outcome = chosen.generate(kind, bitcode, deadline)
        except ChildError as error:
            was_killed = chosen.child.was_killed and not chosen.is_closed
            self._discard(chosen)
            return [error.finding()], was_killed
        except BaseException:
            self._discard(chosen)
            raise
        self._give_back(chosen)
        return outcome, False

    def prewarm(self, units: int = 1) -> None:
        """Start processes for so many units that will come at about the same time, as far as the limit goes."""
        wanted = min(units, self.limit)
        if not self.is_refused and len(self._all) < wanted:
            self._start_up_to(wanted)

    @uninterrupted
    def _start_up_to(self, wanted: int) -> None:
        with contextlib.suppress(OSError):
            command = _command()
            with step():
                while len(self._all) < wanted:
                    self._idle.append(self._start(command))

    @property
    def children(self) -> list[Child]:
        """The processes that there are."""
        return [each.child for each in list(self._all)]

    def _take(self) -> CodeGenerator | None:
        """Take a process that can serve, for nobody else until it is given back; None where there can be none.

        Raises:
            ChildError: The processes are closed again and again before they can serve.
        """
        closed = 0
        while self._may_try():
            try:
                chosen = self._next()
            except OSError as error:
                self._count_failure(str(error))
                continue
            try:
                chosen.start()
            except ChildError as error:
                self._discard(chosen)
                closed += chosen.is_closed
                if closed > MAX_FAILURES:
                    raise ChildError("compiler", "the code generators are closed before they can serve") from None
                if not chosen.is_closed:
                    self._count_failure(str(error), is_final=error.rule == "limit")
            except BaseException:
                self._discard(chosen)
                raise
            else:
                self._failures = 0
                return chosen
        return None

    def _next(self) -> CodeGenerator:
        """Return a process that waits, or a new one; raise `OSError` where none can start."""
        command = _command()
        while True:
            with step():
                seen = self._frees
                chosen = self._try_next(command)
            if chosen is not None:
                return chosen
            if sys.is_finalizing():  # The threads that have the others never run again, so none will be given back.
                raise ChildError("compiler", "the code generators are in use, and the interpreter is ending")
            with LOCK:
                if self._frees == seen:
                    self._freed.wait(MAX_WAIT)

    def _try_next(self, command: Sequence[str]) -> CodeGenerator | None:
        while self._idle:
            chosen = self._idle.pop()
            if chosen.child.is_usable:
                return chosen
            self._discard(chosen)
        self._all = {each for each in self._all if each.child.is_ours}
        if len(self._all) < self.limit:
            try:
                return self._start(command)
            except OSError:
                if not self._all:  # Else one of the others will be free before long.
                    raise
        return None

    def _may_try(self) -> bool:
        """Whether processes can be started, or it is time to see whether they can be again."""
        if self.is_refused and time.monotonic() - self._refused_at > RETRY_SECONDS:
            self.is_refused, self._failures = False, 0
        return not self.is_refused

    def _count_failure(self, reason: str, is_final: bool = False) -> None:
        """Give up for a while where no process could be started some times in a row.

        Where one took far too long, give up for good: to wait for that again would be worse than to do the work here.
        """
        self._failures += MAX_FAILURES if is_final else 1
        time.sleep(FAILURE_SECONDS)
        if self._failures >= MAX_FAILURES:
            self.is_refused, self._refused_at = True, math.inf if is_final else time.monotonic()
            outlook = "it stays so" if is_final else f"another attempt follows in {RETRY_SECONDS:g} seconds"
            self._untold.append((reason, outlook))

    def report_refusals(self) -> None:
        """Warn of what nobody was told of yet, on the caller's thread, which may have locks of its logs."""
        while self._untold:
            _LOG.warning(
                "no code generator can be started (%s): machine code is generated in this process, which an internal "
                "error of LLVM would end; %s",
                *self._untold.pop(),
            )

    def _start(self, command: Sequence[str]) -> CodeGenerator:
        """Start a process; the caller holds the lock."""
        started = CodeGenerator(spawn(command, "the code generator", "generating code"))
        self._all.add(started)
        return started

    def _give_back(self, chosen: CodeGenerator) -> None:
        if chosen.units >= MAX_UNITS:
            self._discard(chosen)
            return
        with step():
            self._idle.append(chosen)
            self._tell_free()

    def _discard(self, chosen: CodeGenerator) -> None:
        chosen.child.end()
        with step():
            self._all.discard(chosen)
            self._tell_free()

    def _tell_free(self) -> None:
        self._frees += 1
        self._freed.notify()

    @uninterrupted
    def close(self) -> None:
        """End all processes; units that they are at become findings."""
        with step():
            for waiting in self._idle:
                self._discard(waiting)
            self._idle.clear()
            for at_work in self._all:  # Who waits for its answer reads from its pipes, and will close them.
                at_work.is_closed = True
                at_work.child.kill()

    def forget(self) -> None:
        """Forget in a forked child the processes of its parent; the child starts some of its own."""
        self._all, self._idle, self._freed = set(), [], threading.Condition(LOCK)


@once
def code_generators() -> CodeGenerators:
    """Return the process-wide code generators; none is started yet."""
    found = CodeGenerators(min(os.cpu_count() or 1, MAX_PROCESSES))
    os.register_at_fork(after_in_child=found.forget)
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
    """Return the machine that code is generated for in this process, once LLVM is known to warn of large frames."""
    made = generator.target_machine(target_triple(), target_cpu(), ",".join(target_features()))
    with tempfile.TemporaryFile() as messages:
        with _capture_standard_error(messages.fileno()):
            generator.provoke_warning(made)
        messages.seek(0)
        _require_warnings(messages.read(MAX_MESSAGES))
    return made


def _generate_here(kind: bytes, bitcode: bytes) -> CodeOrFindings:
    """Generate in this process, which ends where LLVM gives up, one unit at a time."""
    with llvm_lock(), tempfile.TemporaryFile() as messages:
        machine = _machine()
        try:
            with _capture_standard_error(messages.fileno()):
                data, status = generator.generate(machine, kind, bitcode), DONE
        except RuntimeError as error:
            data, status = str(error).encode(), ERROR
        except generator.Undefined as error:
            data, status = str(error).encode(), UNDEFINED
        messages.seek(0)
        said = messages.read(MAX_MESSAGES + 1)
    if len(said) > MAX_MESSAGES:
        return [Diagnostic(Stage.LOWER, "limit", f"the code generator wrote more than {MAX_MESSAGES >> 10} KiB")]
    return _read_answer(status, data, said)


@contextlib.contextmanager
def _capture_standard_error(file: int) -> Iterator[None]:
    """Catch what LLVM writes of frames to standard error, because llvmlite gives no other way to hear it."""
    try:
        kept = os.dup(2)
    except OSError:  # The process has closed it.
        kept = os.open(os.devnull, os.O_WRONLY)
    os.dup2(file, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
