"""clang as a child process: C on its standard input, bitcode on its standard output.

In: a unit of C text that the frontend printed (never text that somebody proposed; `preprocess` is the one
exception, and says why it is safe). Out: bytes, or clang's findings as `Diagnostic`s. Nothing touches the disk.

Three things make a call short. The driver is asked once what it would run (`-###`), and from then on that is run
directly (`-cc1`). A process of that kind is always kept waiting on its standard input, because a third of a small
compilation is the start of the process. And the unit is included by an empty file, because clang reads an include last:
it waits with its tables made, which takes it a millisecond.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from symbiont_jit.backend.child_process import FULL, TIMEOUT, Child, ChildError, Deadline, spawn
from symbiont_jit.backend.toolchain import ADVICE, Toolchain, ask, find_toolchain, target_cpu, target_triple
from symbiont_jit.c import vocabulary
from symbiont_jit.errors import Diagnostic, Severity, Stage, ToolchainError
from symbiont_jit.uninterrupted import once, step, uninterrupted

__all__ = ["BITCODE", "Clang", "Emit", "FIXED", "OBJECT", "REMARKS", "SYNTAX", "clang"]

PREPROCESS_TIMEOUT: Final = 0.8

#: Options of every compilation.
FIXED: Final = (
    "-std=c11",
    "-fno-trigraphs",
    "-fPIC",
    # Agree with Numba and NumPy to the last bit; contraction is a candidate's choice, by pragma.
    "-ffp-contract=off",
    # Complex numbers as in Numba and NumPy: Smith's division, no search for lost infinities.
    "-fcomplex-arithmetic=improved",
    # Library functions set no errno here, so that clang may vectorise and move them.
    "-fno-math-errno",
    # `char` is int8_t, on every machine.
    "-fsigned-char",
    # Variables begin as zeros, so that nothing that an earlier call has left on the stack can be read.
    "-ftrivial-auto-var-init=zero",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-stack-protector",
    # Checks put several brackets around each of the candidate's.
    "-fbracket-depth=1024",
    "-nostdinc",
    "-Wno-everything",
    # C lets these pass with a warning, but they are wrong in a kernel: wrong pointers, lost const, no return value.
    *(
        f"-Werror={name}"
        for name in (
            "cast-qual implicit-function-declaration implicit-int incompatible-pointer-types "
            "incompatible-function-pointer-types incompatible-pointer-types-discards-qualifiers int-conversion "
            "return-type array-bounds unknown-pragmas "
            # Both sides of a `?:` that point at different things make a plain `void *`, which has lost its const.
            "pointer-type-mismatch conditional-type-mismatch"
        ).split()
    ),
)

_DIAGNOSTIC: Final = re.compile(
    r"^(?P<file>[^:\n]+):(?P<line>\d{1,9}):(?P<column>\d{1,9}): (?P<severity>fatal error|error): (?P<message>.*)$",
    re.MULTILINE,
)

#: The file to compile is empty, and what it includes comes from standard input.
_INPUT: Final = ("-include", "/dev/stdin", "-x", "c", "/dev/null")

Emit = str
#: Optimised bitcode, which is what revisions are made of.
BITCODE: Final[Emit] = "bitcode"
#: Object code by clang's own code generator, which tests hold llvmlite's against.
OBJECT: Final[Emit] = "object"
#: clang's errors alone.
SYNTAX: Final[Emit] = "syntax"
#: What the optimiser did and did not do, as LLVM's records in YAML.
REMARKS: Final[Emit] = "remarks"
_EMIT_FLAGS: Final[Mapping[Emit, tuple[str, ...]]] = {
    OBJECT: ("-c",),
    BITCODE: ("-c", "-emit-llvm"),
    SYNTAX: ("-fsyntax-only",),
    REMARKS: ("-c", "-emit-llvm", *("-Xclang -emit-llvm-only -Xclang -opt-record-file -Xclang -".split())),
}


#: Processes that wait for a unit, one for each set of flags; the one that was used longest ago goes.
MAX_WAITING: Final = 4
#: The most processes that wait with one set of flags, where many units are expected at once.
MAX_PREWARMED: Final = 32


@dataclass(slots=True)
class Clang:
    """One clang and the processes that wait for its next unit; safe to call from several threads."""

    toolchain: Toolchain
    _commands: dict[tuple[Emit, tuple[str, ...]], tuple[str, ...]] = field(default_factory=dict)
    _waiting: dict[tuple[str, ...], list[Child]] = field(default_factory=dict)

    @uninterrupted
    def lower(self, unit: str, emit: Emit = BITCODE, flags: Sequence[str] = ()) -> bytes | list[Diagnostic]:
        """Lower a unit's C text, or return clang's errors.

        A process that somebody has killed, as the system does when memory is short, says nothing of the unit, so
        another one gets it.
        """
        command = self._command(emit, tuple(flags))
        found, was_killed = self._lower_once(command, unit, emit)
        return self._lower_once(command, unit, emit)[0] if was_killed else found

    def _lower_once(self, command: tuple[str, ...], unit: str, emit: Emit) -> tuple[bytes | list[Diagnostic], bool]:
        """Lower in one process; return besides whether somebody has killed it."""
        started = time.monotonic()
        child = self._take(command)
        try:
            _send(child, unit)
            self._keep_waiting(command)
            returncode = child.read_all(Deadline(TIMEOUT))
        except ChildError as error:
            return [error.finding()], False
        finally:
            child.end()
        # Where SIGCHLD is ignored, every process seems to have succeeded, so its output and errors count too.
        found = _diagnostics(child, Stage.LOWER)
        if returncode == 0 and not found and (child.output or emit in (SYNTAX, REMARKS)):
            return bytes(child.output), False
        _require_input(found)
        # Who has used up the processor time of a unit is killed, too.
        was_killed = child.was_killed and time.monotonic() - started < TIMEOUT / 2
        return found or [Diagnostic(Stage.LOWER, "compiler", child.describe_failure(returncode))], was_killed

    @uninterrupted
    def preprocess(self, *texts: str) -> list[str | list[Diagnostic]]:
        """Expand macros and conditionals of texts, all at the same time; each line stays at its number.

        A text was proposed by somebody, so it is in here that nothing may reach outside: no include path, and the
        operators that look at files or run pragmas are undefined (a pasted `_Pragma` would otherwise run). The standard
        constants are known, because conditions ask for them.
        """
        undefined = "_Pragma __has_include __has_include_next __has_embed __COUNTER__ __DATE__ __TIME__ __TIMESTAMP__"
        command = (
            *self.toolchain.command,
            *("-E", "-nostdinc", "-w", "-x", "c", "-std=c11", "-fno-trigraphs", *self._target_flags()),
            *(f"-U{name}" for name in (*undefined.split(), "__FILE__", "__BASE_FILE__", "__FILE_NAME__")),
            *(f"-D{name}={value}" for name, value in vocabulary.CONSTANTS.items()),
            "-",
        )
        with contextlib.ExitStack() as stack:
            children = []
            try:
                for text in texts:
                    children.append(_spawn(command))
                    stack.callback(children[-1].end)
                    _send(children[-1], text)
                return [_read_expansion(child) for child in children]
            except ChildError as error:
                return [_too_much(error) for _ in texts]

    def _target_flags(self) -> tuple[str, ...]:
        flags = [f"--target={target_triple()}"]
        if target_triple().startswith("x86_64"):
            flags.append("-march=native")
        else:
            flags.append(f"-mcpu={target_cpu()}")
        return tuple(flags)

    def _command(self, emit: Emit, flags: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the driver would run for these flags; the driver is asked once."""
        key = (emit, flags)
        if key not in self._commands:
            driver = (
                *self.toolchain.command,
                *_EMIT_FLAGS[emit],
                *("-O3", *FIXED, *self._target_flags(), *flags, *_INPUT, "-o", "-"),
            )
            # The order of uses in bitcode changes nothing but its size.
            words = _direct_command(driver)
            self._commands[key] = tuple(word for word in words if word != "-emit-llvm-uselists")
        return self._commands[key]

    def _take(self, command: tuple[str, ...]) -> Child:
        """Return a process that waits for a unit, or a new one."""
        with step():
            waiting = self._waiting.get(command, [])
            while waiting:
                child = waiting.pop()
                if child.is_alive:
                    return child
                child.end()
        return _spawn(command)

    def _keep_waiting(self, command: tuple[str, ...]) -> None:
        """Start the process that the next unit will find waiting, where that can be done now."""
        with step():
            waiting = self._waiting.pop(command, [])
            self._waiting[command] = waiting  # The commands are in the order of their last use.
            if not waiting:
                with contextlib.suppress(ToolchainError):
                    waiting.append(_spawn(command))
            while len(self._waiting) > MAX_WAITING:
                for child in self._waiting.pop(next(iter(self._waiting))):
                    child.end()

    @uninterrupted
    def prewarm(self, emit: Emit, flags: Sequence[str], units: int) -> None:
        """Have processes waiting for so many units that will come at about the same time, at most `MAX_PREWARMED`.

        A process takes about as long to start as a small unit to compile. A smaller number than are waiting
        ends the others.
        """
        command = self._command(emit, tuple(flags))
        wanted = max(1, min(units, MAX_PREWARMED))
        for _ in range(wanted):
            with step():  # The lock is taken for each process, because a compilation must not wait for all of them.
                waiting = self._waiting.setdefault(command, [])
                if len(waiting) >= wanted:
                    break
                waiting.append(_spawn(command))
        with step():
            waiting = self._waiting.get(command, [])
            extra = waiting[wanted:]
            del waiting[wanted:]
        for child in extra:
            child.end()

    @property
    def waiting(self) -> list[Child]:
        """The processes that wait for a unit."""
        return [child for children in list(self._waiting.values()) for child in children]

    @uninterrupted
    def close(self) -> None:
        """End the waiting processes."""
        with step():
            for child in self.waiting:
                child.end()
            self._waiting.clear()


@once
def clang() -> Clang:
    """Return the process-wide clang; raise `ToolchainError` where there is none."""
    found = Clang(find_toolchain())
    atexit.register(found.close)
    return found


def _direct_command(driver: tuple[str, ...]) -> tuple[str, ...]:
    """Return the `-cc1` command behind a driver's; the driver itself where it does not say."""
    try:
        said = ask([*driver, "-###"]).messages
    except (OSError, ChildError) as error:
        raise ToolchainError(f"clang does not start: {error}; {ADVICE}") from error
    lines = said.decode("utf-8", "replace").splitlines()
    for line in lines:
        words: list[str] = []
        with contextlib.suppress(ValueError):  # Whatever has an odd number of quotes is no command.
            words = shlex.split(line) if line.lstrip().startswith('"') else []
        if "-cc1" in words[:2]:
            return tuple(words)
    for line in lines:
        if "error:" in line:
            raise ToolchainError(f"clang refuses its options: {line.partition('error:')[2].strip()}")
    return driver


def _require_input(found: Sequence[Diagnostic]) -> None:
    """Raise `ToolchainError` where clang did not find its standard input, which is no fault of the text."""
    if any("'/dev/stdin' file not found" in each.message for each in found):
        raise ToolchainError("clang reads C from /dev/stdin, which is not there: mount /proc and /dev")


def _spawn(command: Sequence[str]) -> Child:
    try:
        return spawn(command, "the compiler", "compiling", cpu_seconds=math.ceil(TIMEOUT))
    except OSError as error:
        advice = "the system has no room for another process" if error.errno in FULL else ADVICE
        raise ToolchainError(f"clang does not start: {error}; {advice}") from error


def _send(child: Child, text: str) -> None:
    """Give a process its unit, whole: of half a unit it never sees the end."""
    child.write(text.encode(), Deadline(TIMEOUT))
    child.close_input()


def _diagnostics(child: Child, stage: Stage) -> list[Diagnostic]:
    text = child.messages.decode("utf-8", "replace")
    return [
        Diagnostic(stage, "compiler", m["message"][:300], int(m["line"]), int(m["column"]), Severity.ERROR)
        for m in _DIAGNOSTIC.finditer(text)
    ]


def _too_much(error: ChildError) -> list[Diagnostic]:
    return [error.finding(Stage.PREPROCESS, "; use functions instead of macros")]


def _read_expansion(child: Child) -> str | list[Diagnostic]:
    """Read what became of a text; that one is too much says nothing of the others."""
    try:
        child.read_all(Deadline(PREPROCESS_TIMEOUT))
    except ChildError as error:
        return _too_much(error)
    found = _diagnostics(child, Stage.PREPROCESS)
    if found or not child.output:
        return found or [Diagnostic(Stage.PREPROCESS, "compiler", "the preprocessor failed")]
    return _keep_own_lines(child.output.decode("utf-8", "replace"))


def _keep_own_lines(expanded: str) -> str:
    """Keep of the preprocessor's output what is from the text itself, each line at its number in the text."""
    out: list[str] = []
    own = False
    for line in expanded.split("\n"):
        marker = re.match(r'^# (\d+) "([^"]*)"', line)
        if marker:
            own = marker[2] == "<stdin>"
            out += [""] * (int(marker[1]) - 1 - len(out)) if own else []
        elif own:
            out.append(line)
    return "\n".join(out) + "\n"
