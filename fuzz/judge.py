"""One candidate, from its text to what came of it: compiled here, run in a forked child, looked at from outside.

In: a `Case`, arguments, profiles. Out: a `Verdict`: an outcome for each profile, and what should not have happened.

Each array lies against a page that cannot be touched, once against the upper and once against the lower one. What is
left of its pages is filled, and so is the stack below the call: first with one byte, then with another. A write outside
shows where the filling changed, or as a crash. A read outside shows as a crash, or as a result that depends on the
filling.

Exact texts are also compiled with less effort of the optimiser. A value that nobody has set is what each of the two
likes it to be; where all values are somebody's, the calls leave the same, but for the bits of what is no number.
"""

from __future__ import annotations

import faulthandler
import functools
import hashlib
import json
import os
import re
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from fuzz.cases import Case, signature_in
from symbiont_jit import Kernel, catch_faults, time_limit
from symbiont_jit.engine.target import target_of
from symbiont_jit.errors import CandidateError, Stage
from symbiont_jit.isolate.guard_pages import PAGE, map_guarded_bytes
from symbiont_jit.signature import Mode

__all__ = ["Finding", "Kind", "Limits", "Verdict", "judged", "lines_of"]

FILLINGS = (0x00, 0xA5)
MEMORY = 8 << 30
INTERRUPTED = "panic interrupted"
#: What depends on time, on how much stack the frames of a compilation take, or on where it puts objects.
UNCERTAIN = (INTERRUPTED, "panic recursion", "panic stack", "panic alignment")
#: What marks a profile's second compilation.
TWIN = ", compiled otherwise"


class Kind(StrEnum):
    """What must not happen."""

    CRASH = "CRASH"
    HANG = "HANG"
    WRITE = "OUT OF BOUNDS WRITE"
    READ = "OUT OF BOUNDS READ"
    UNDEFINED = "BITS OF NOBODY"
    INTERNAL = "INTERNAL ERROR"


@dataclass(frozen=True, slots=True)
class Finding:
    """One such thing: where it happened, and more about it."""

    kind: Kind
    profile: str
    about: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for a compilation, for a call before it is interrupted, and for a child; steps of a `checked` call.

    `flags` are further options for clang: a sanitizer that traps makes more of what the checks let pass a crash. `twin`
    are those of the second compilation of each text; without any there is none.
    """

    compile: float = 30.0
    call: float = 0.15
    child: float = 10.0
    steps: int = 300_000
    flags: tuple[str, ...] = ()
    twin: tuple[str, ...] = ("-O1",)


@dataclass(slots=True)
class Verdict:
    """What came of a candidate in each profile.

    `findings` is empty where all is as promised; `seconds` is the time of the longest compilation. `both` among the
    outcomes says whether all profiles have the same value. They need not: a value may be an address.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0


_NAMES = re.compile(r"(?<!')'\w+'")


class _Late(BaseException):
    """The compilation has had its time."""


def judged(case: Case, arguments: Sequence[Any], profiles: Sequence[str], limits: Limits) -> Verdict:
    """Compile and run a candidate in some profiles."""
    verdict = Verdict()
    revisions = {}
    for profile in profiles:
        if profile == "release" and len(revisions) < list(profiles).index(profile):
            continue  # refused by others: it may do anything
        started = time.monotonic()
        try:
            with _deadline(limits.compile):
                revisions[profile] = _compiled(case, profile, limits.flags)
        except _Late:
            verdict.findings.append(Finding(Kind.HANG, profile, "compilation"))
        except CandidateError as error:
            verdict.outcomes[profile] = _refusal(error)
        except Exception as error:
            verdict.findings.append(Finding(Kind.INTERNAL, profile, f"{type(error).__name__}: {error}"))
        verdict.seconds = max(verdict.seconds, time.monotonic() - started)
    if case.is_exact and limits.twin:
        revisions |= _twins(case, revisions, limits)
    if revisions:
        _run(revisions, arguments, limits, verdict)
    return verdict


def _twins(case: Case, revisions: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """The same text compiled otherwise, for each profile that has accepted it.

    Of `release` only where it is alone: beside others it may do anything.
    """
    twins = {}
    for profile in [profile for profile in revisions if profile != "release" or len(revisions) == 1]:
        with suppress(CandidateError, _Late), _deadline(limits.compile):
            twins[profile + TWIN] = _compiled(case, profile, (*limits.flags, *limits.twin))
    return twins


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _compiled(case: Case, profile: str, flags: tuple[str, ...]) -> tuple[Kernel, Any]:
    kernel = Kernel(signature_in(case.declaration), flags=flags, on_panic="zero")
    revision = kernel.compile(case.text, profile=profile)
    target_of(kernel).warm()
    return kernel, revision


def _refusal(error: CandidateError) -> str:
    """By whom and why; the checks' reasons in their own words, without the candidate's names."""
    first = error.diagnostics[0]
    if error.stage == Stage.LOWER:
        return "refused by clang"
    reason = f": {_NAMES.sub('_', first.message)}" if first.rule == "untraceable" else ""
    return f"refused {first.rule}{reason}"


# -- in the child ------------------------------------------------------------------------------------------------------


class _Placed:
    """An array against a page that cannot be touched; `at_end` says against which one."""

    def __init__(self, array: np.ndarray[Any, Any], at_end: bool, is_read: bool) -> None:
        self.all = map_guarded_bytes(-(-max(array.nbytes, 1) // PAGE) * PAGE)
        self.start = self.all.size - array.nbytes if at_end else 0
        self.view: np.ndarray[Any, Any] = np.ndarray(array.shape, array.dtype, self.all, self.start)
        self.given, self.is_read = array, is_read

    def fill(self, byte: int) -> None:
        """The array as it was given, and a byte everywhere else."""
        self.all[:] = byte
        self.before = self.given.tobytes()  # padding and all
        self.all[self.start : self.start + len(self.before)] = np.frombuffer(self.before, np.uint8)
        self.filling = byte

    def is_intact(self) -> bool:
        """Whether nobody wrote around the array, or to one that is only read."""
        end = self.start + self.view.nbytes
        around = (self.all[: self.start] == self.filling).all() and (self.all[end:] == self.filling).all()
        return bool(around) and (not self.is_read or self.view.tobytes() == self.before)


@functools.cache
def _painter() -> Kernel:
    """Fills the stack below its caller."""
    body = "{ volatile char a[600000]; for (int64_t i = 0; i < 600000; i++) a[i] = (char)v; return a[v & 255]; }"
    painter = Kernel.from_c(f"int64_t paint(int64_t v) {body}", profile="release")
    painter(0)
    return painter


@dataclass(frozen=True, slots=True)
class _Call:
    """A revision with its arguments in their places, and what its calls have left so far, as numbers."""

    revision: Any
    given: list[Any]
    arrays: list[_Placed]
    seconds: float
    seen: list[str] = field(default_factory=list)

    def observed(self, byte: int) -> tuple[str, ...]:
        """The outcome of a call and all that it left, as text; with one byte everywhere outside."""
        for array in self.arrays:
            array.fill(byte)
        with time_limit(self.seconds):
            _painter()(byte)
            result = self.revision(*self.given)
        panic = self.revision.take_panic()
        outcome = "value" if panic is None else f"panic {panic.kind}"
        self.seen.append(f"{panic} {self.numbers(result)}")
        bits = "" if result is None else np.asarray(result).tobytes().hex()
        left = "".join("" if array.is_intact() else "written outside" for array in self.arrays)
        return (outcome, left, str(panic), bits, *(array.view.tobytes().hex() for array in self.arrays))

    def numbers(self, result: Any) -> str:
        """What the last call left and returned, without the bits by which values that are no numbers differ."""
        results = [] if result is None else [np.asarray(result)]
        arrays = [*results, *(array.view for array in self.arrays)]
        return hashlib.sha256(b"".join(map(_plain_bytes, arrays))).hexdigest()


def _plain_bytes(array: np.ndarray[Any, Any]) -> bytes:
    if array.dtype.names:
        return b"".join(_plain_bytes(array[name]) for name in array.dtype.names)
    if array.dtype.kind in "fc":
        return np.where(np.isnan(array), np.nan, array).astype(array.dtype).tobytes()
    return array.tobytes()


def _placed(kernel: Kernel, revision: Any, arguments: Sequence[Any], at_end: bool, limits: Limits) -> _Call:
    places = [
        _Placed(a, at_end, p.mode is Mode.IN) if isinstance(a, np.ndarray) else None
        for a, p in zip(arguments, kernel.signature.params, strict=True)
    ]
    given = [a if p is None else p.view for a, p in zip(arguments, places, strict=True)]
    return _Call(revision, given, [p for p in places if p is not None], limits.call)


def _calls(
    revisions: dict[str, tuple[Kernel, Any]], arguments: Sequence[Any], limits: Limits, say: Callable[..., None]
) -> None:
    """Every profile's calls, in the child; `release` behind others only where those had a value."""
    all_valued = True
    for profile, (kernel, revision) in revisions.items():
        if profile == "release" and not all_valued:
            break
        target_of(kernel).limit_steps(limits.steps)
        for at_end in (True, False) if any(isinstance(a, np.ndarray) for a in arguments) else (True,):
            say("call", profile, at_end)
            call = _placed(kernel, revision, arguments, at_end, limits)
            seen = _compared(call)
            if not any(s[0] in UNCERTAIN for s in seen):
                say("numbers", profile, [at_end, call.seen[0]])
            say("outcome", profile, seen[0][0])
            say("digest", profile, [at_end, hashlib.sha256(repr(seen[0]).encode()).hexdigest()])
            all_valued = all_valued and seen[0][0] == "value"
            if any(s[1] for s in seen):
                say("write", profile, f"at_end={at_end}")
            if any(s[0] == INTERRUPTED for s in seen):  # wherever it was: nothing to compare
                break
            if seen[0] != seen[1]:
                say("read", profile, f"at_end={at_end} {_different(*seen)}"[:1000])


def _compared(call: _Call) -> list[tuple[str, ...]]:
    """A call with each filling. Addresses on the stack differ at first, so a difference has to be there again."""
    for _ in range(2):
        seen = []
        for byte in FILLINGS:
            seen.append(call.observed(byte))
            if seen[-1][0] == INTERRUPTED:
                return seen
        if seen[0] == seen[1]:
            break
    return seen


def _different(one: Sequence[str], other: Sequence[str]) -> str:
    return next(f"{a[:400]} / {b[:400]}" for a, b in zip(one, other, strict=True) if a != b)


# -- around the child --------------------------------------------------------------------------------------------------


def _run(revisions: dict[str, tuple[Kernel, Any]], arguments: Sequence[Any], limits: Limits, verdict: Verdict) -> None:
    """Run in a child and read what it says; what it did not get to say is found out from how it ended."""
    _painter()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(writer, lambda say: _calls(revisions, arguments, limits, say))
    os.close(writer)
    said, hangs = _read(reader, limits.child)
    os.close(reader)
    if hangs:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    profile, about = "", ""
    digests: dict[str, list[Any]] = {}
    numbers: dict[tuple[str, bool], str] = {}
    for line in said:
        what, profile, detail = json.loads(line)
        about = f"at_end={detail}" if what == "call" else about
        if what == "numbers":
            numbers[profile, detail[0]] = detail[1]
        elif what == "outcome" and not profile.endswith(TWIN):
            verdict.outcomes[profile] = detail
        elif what == "digest" and not profile.endswith(TWIN):
            digests.setdefault(profile, []).append(detail)
        elif what in _SAID:
            verdict.findings.append(Finding(_SAID[what], profile, detail))
    for (name, at_end), seen in numbers.items():
        other = numbers.get((name + TWIN, at_end), seen)
        if other != seen:
            verdict.findings.append(Finding(Kind.UNDEFINED, name, f"at_end={at_end} {seen} / {other}"))
    if len(digests) > 1 and set(verdict.outcomes.values()) == {"value"}:
        is_same = len({repr(d) for d in digests.values()}) == 1
        verdict.outcomes["both"] = "the same value" if is_same else "another value"
    if hangs:
        verdict.findings.append(Finding(Kind.HANG, profile, about))
    elif os.WIFSIGNALED(status):
        verdict.findings.append(Finding(Kind.CRASH, profile, f"{signal.Signals(os.WTERMSIG(status)).name} {about}"))


_SAID = {"write": Kind.WRITE, "read": Kind.READ, "error": Kind.INTERNAL}


def _be_child(writer: int, act: Callable[[Callable[..., None]], None]) -> None:
    """Act, say what happens in lines of JSON, and end."""
    last = [""]

    def say(what: str, profile: str, detail: Any) -> None:
        last[0] = profile
        os.write(writer, json.dumps([what, profile, detail]).encode() + b"\n")

    try:
        faulthandler.disable()
        catch_faults(False)  # The net below the checks must not hide that there is a hole in them.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        act(say)
    except BaseException as error:
        say("error", last[0], f"in the call: {type(error).__name__}: {error}"[:500])
    finally:
        os._exit(0)


def lines_of(reader: int, seconds: float) -> Iterator[bytes]:
    """The lines that come from a pipe, until it is closed or silent for too long."""
    rest = b""
    while select.select([reader], [], [], seconds)[0]:
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _read(reader: int, seconds: float) -> tuple[list[bytes], bool]:
    """The whole lines that a child said, and whether it had not ended by then."""
    said, deadline = b"", time.monotonic() + seconds
    while True:
        if not select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return said.split(b"\n")[:-1], True
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            return said.split(b"\n")[:-1], False
        said += chunk
