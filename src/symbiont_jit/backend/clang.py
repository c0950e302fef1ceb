"""clang as a child process: C on its standard input, bitcode on its standard output.

In: a unit of C text that the frontend printed (never text that somebody proposed). Out: bytes, or clang's findings as
`Diagnostic`s. Nothing touches the disk.

Two things make a call short. The driver is asked once what it would run (`-###`), and from then on that is run
directly (`-cc1`). And a process of that kind compiles many units: clang takes several inputs, and opens each when it is
done with the one before. They are pipes, so it waits for whoever writes the next unit.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from symbiont_jit.backend.bitcode import bitcode_size
from symbiont_jit.backend.child_process import Child, ChildError, Deadline, LostPipesError, again_where_lost
from symbiont_jit.backend.clang_process import read_errors, require_input, send_unit, start_process, target_flags
from symbiont_jit.backend.toolchain import ADVICE, Toolchain, ask, find_toolchain
from symbiont_jit.errors import Diagnostic, Stage, ToolchainError
from symbiont_jit.starting import FULL
from symbiont_jit.uninterrupted import once, step, uninterrupted

__all__ = ["BITCODE", "Clang", "Emit", "FIXED", "OBJECT", "REFUSED", "REMARKS", "SYNTAX", "clang"]

#: Options of every compilation.
FIXED: Final = (
    "-std=c11",
    "-fno-trigraphs",
    "-fPIC",
    # Agree with Numba and NumPy to the last bit; contraction is a candidate's choice, by pragma.
    "-ffp-contract=off",
    # clang brings its own library for functions of constants, whose last bit can be another one than the one that the
    # same call gives where it is made. The code generator, which has this process's library, computes them instead.
    "-mllvm",
    "-disable-fp-call-folding",
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
)
#: What C lets pass with a warning, and is wrong in a kernel: wrong pointers, lost const, no return value. It stands
#: behind all other options, because a user's own options about warnings would let it pass again.
REFUSED: Final = tuple(
    f"-Werror={name}"
    for name in (
        "cast-qual implicit-function-declaration implicit-int incompatible-pointer-types "
        "incompatible-function-pointer-types incompatible-pointer-types-discards-qualifiers int-conversion "
        "return-type array-bounds unknown-pragmas "
        # Both sides of a `?:` that point at different things make a plain `void *`, which has lost its const.
        "pointer-type-mismatch conditional-type-mismatch"
    ).split()
)

#: The file to compile: standard input where one unit is compiled, else what `_start_compiler` puts in its place.
_UNIT: Final = "/dev/stdin"
_INPUT: Final = ("-x", "c", _UNIT)

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


#: For how many sets of flags processes wait; those of the set that was used longest ago go.
MAX_WAITING: Final = 4
#: How many units are compiled at a time: one more than there are processors, because some wait to be read.
MAX_AT_A_TIME: Final = (os.cpu_count() or 1) + 1
#: How many units one process compiles, each of which takes a descriptor here, before what clang keeps could count.
UNITS: Final = 16


@dataclass(slots=True, eq=False)
class Compiler:
    """One process of clang, which compiles one unit after the other: each comes by the next of its inputs.

    Two thirds of a small compilation are the start of the process. Bitcode is believed; whatever else comes of a unit
    is found out by a process that has compiled nothing before.
    """

    child: Child
    used: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether it can compile another unit."""
        return self.used < len(self.child.inputs) and self.child.is_usable

    def lower(self, unit: bytes, deadline: Deadline) -> bytes | None:
        """Lower a unit to bitcode; the result is None where clang has anything to say, or ends.

        Raises:
            ChildError: It takes too long, or says too much.
        """
        self.child.output.clear()
        self.used += 1
        self.child.limit_work(math.ceil(deadline.seconds) * self.used)
        self.child.feed(self.used - 1, unit, deadline)
        with contextlib.suppress(ValueError):
            while (size := bitcode_size(self.child.output)) is None:
                if self.child.messages or self.child.is_silent:
                    return None
                self.child.read(deadline)
            if size == len(self.child.output) and not self.child.messages:
                return bytes(self.child.output)
        return None


@dataclass(slots=True)
class Clang:
    """One clang and the processes that wait for its next unit; safe to call from several threads."""

    toolchain: Toolchain
    _commands: dict[tuple[Emit, tuple[str, ...]], tuple[str, ...]] = field(default_factory=dict)
    _waiting: dict[tuple[str, ...], list[Compiler]] = field(default_factory=dict)
    _turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(MAX_AT_A_TIME))

    def forget(self) -> None:
        """Forget in a forked child the processes of its parent, and the turns of threads that it does not have."""
        self._waiting, self._turns = {}, threading.BoundedSemaphore(MAX_AT_A_TIME)

    @uninterrupted
    def lower(
        self, unit: str, emit: Emit = BITCODE, flags: Sequence[str] = (), deadline: Deadline | None = None
    ) -> bytes | list[Diagnostic]:
        """Lower a unit's C text before a deadline, by default one of its own, or return clang's errors.

        A process that somebody has killed, as the system does when memory is short, says nothing of the unit, so
        another one gets it.
        """
        command, text = self._command(emit, tuple(flags)), unit.encode()
        until = deadline or Deadline()
        with self._turns:  # More processes than processors only take each other's time.
            return again_where_lost(lambda: self._lower_by_some(command, text, emit, until))

    def _lower_by_some(
        self, command: tuple[str, ...], text: bytes, emit: Emit, deadline: Deadline
    ) -> bytes | list[Diagnostic]:
        """Lower a unit in a process that waits, or else in one of its own, and in a second one if that was killed."""
        for is_last in (False, True):
            if emit == BITCODE:
                lowered = self._lower_in_turn(command, text, deadline)
                if lowered is not None:
                    return lowered
            found, was_killed = self._lower_alone(command, text, emit, deadline)
            if is_last or not was_killed:
                break
        return found

    def _lower_in_turn(
        self, command: tuple[str, ...], text: bytes, deadline: Deadline
    ) -> bytes | list[Diagnostic] | None:
        """Lower a unit in a process that may have compiled others; None where it did not simply compile this one."""
        compiler = self._take(command)
        if compiler is None:
            return None
        lowered = None
        try:
            lowered = compiler.lower(text, deadline)
        except ChildError as error:
            return [error.finding()]
        finally:
            self._give_back(command, compiler if lowered is not None else None)
            if lowered is None or not compiler.is_ready:
                compiler.child.end()
        return lowered

    def _lower_alone(
        self, command: tuple[str, ...], text: bytes, emit: Emit, deadline: Deadline
    ) -> tuple[bytes | list[Diagnostic], bool]:
        """Lower a unit in a process of its own; return besides whether somebody has killed it."""
        started = time.monotonic()
        compiler = _start_compiler(command, 1) if emit == BITCODE else None
        child = start_process(command) if compiler is None else compiler.child
        try:
            if compiler is None:
                send_unit(child, text, deadline)
            else:
                child.feed(0, text, deadline)
            returncode = child.read_all(deadline)
        except ChildError as error:
            return [error.finding()], False
        finally:
            child.end()
        # Where SIGCHLD is ignored, every process seems to have succeeded, so its output and errors count too.
        found = read_errors(child, Stage.LOWER)
        if returncode == 0 and not found and (child.output or emit in (SYNTAX, REMARKS)):
            return bytes(child.output), False
        require_input(child.messages)
        # Who has used up the processor time of a unit is killed, too.
        was_killed = child.was_killed and time.monotonic() - started < deadline.seconds / 2
        return found or [Diagnostic(Stage.LOWER, "compiler", child.describe_failure(returncode))], was_killed

    def _command(self, emit: Emit, flags: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the driver would run for these flags; the driver is asked once."""
        key = (emit, flags)
        if key not in self._commands:
            driver = (
                *self.toolchain.command,
                *_EMIT_FLAGS[emit],
                *("-O3", *FIXED, *target_flags(), *flags, *REFUSED, *_INPUT, "-o", "-"),
            )
            # The order of uses in bitcode changes nothing but its size.
            words = _direct_command(driver)
            self._commands[key] = tuple(word for word in words if word != "-emit-llvm-uselists")
        return self._commands[key]

    def _take(self, command: tuple[str, ...]) -> Compiler | None:
        """Return a process that can compile a unit, or a new one; None where the command is not clang's own."""
        with step():
            waiting = self._waiting.get(command, [])
            while waiting:
                compiler = waiting.pop()
                if compiler.is_ready:
                    return compiler
                compiler.child.end()
        return _start_compiler(command)

    def _give_back(self, command: tuple[str, ...], compiler: Compiler | None) -> None:
        """Keep a process for the next unit, or start the one that this will find waiting where that can be done now."""
        with step():
            waiting = self._waiting.pop(command, [])
            self._waiting[command] = waiting  # The commands are in the order of their last use.
            if compiler is not None and compiler.is_ready:
                waiting.append(compiler)
            elif not waiting:
                with contextlib.suppress(ToolchainError):
                    waiting += filter(None, [_start_compiler(command, insists=False)])
            extra = waiting[:-MAX_AT_A_TIME]
            del waiting[:-MAX_AT_A_TIME]
            while len(self._waiting) > MAX_WAITING:
                extra += self._waiting.pop(next(iter(self._waiting)))
        for each in extra:
            each.child.end()

    @uninterrupted
    def prewarm(self, emit: Emit, flags: Sequence[str], units: int) -> None:
        """Have processes waiting for so many units that will come at about the same time, as many as run at a time.

        A process takes longer to start than a small unit to compile. A smaller number than are waiting ends the others.
        """
        command = self._command(emit, tuple(flags))
        wanted = max(1, min(units, MAX_AT_A_TIME))
        for _ in range(wanted):
            with step():  # The lock is taken for each process, because a compilation must not wait for all of them.
                waiting = self._waiting.setdefault(command, [])
                if len(waiting) >= wanted:
                    break
                waiting += filter(None, [_start_compiler(command, insists=False)])
        with step():
            waiting = self._waiting.get(command, [])
            extra = waiting[wanted:]
            del waiting[wanted:]
        for compiler in extra:
            compiler.child.end()

    @property
    def waiting(self) -> list[Child]:
        """The processes that wait for a unit."""
        return [compiler.child for compilers in list(self._waiting.values()) for compiler in compilers]

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
    os.register_at_fork(after_in_child=found.forget)
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


def _start_compiler(command: tuple[str, ...], units: int = UNITS, insists: bool = True) -> Compiler | None:
    """Start a process for some units; None where the command is not clang's own, or descriptors are short.

    Whoever holds a lock, and only wants a process to be there later, does not insist.

    clang calls its input what it is told, and object code has the last part of that: it is the same for every unit.
    """
    if not (command[-1] == _UNIT and "-cc1" in command[:2]):
        return None
    paths = [f"/units/{number:03}" for number in range(units)]
    options = ("-ivfsoverlay", "/dev/stdin", *command[2:-1], *(f"{path}/unit.c" for path in paths))
    try:
        child = start_process((*command[:2], *options), units, insists)
    except ToolchainError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL:
            return None
        raise
    # It is not read by one that has died, which is found out later.
    with contextlib.suppress(ChildError, LostPipesError):
        child.write(_overlay(dict(zip(paths, child.names, strict=True))), Deadline())
    child.end_input()
    return Compiler(child)


def _overlay(inputs: Mapping[str, int]) -> bytes:
    """Make what tells clang that in each of some folders there is a file which is one of its descriptors."""
    roots = [
        {
            "type": "directory",
            "name": path,
            "contents": [{"type": "file", "name": "unit.c", "external-contents": f"/dev/fd/{number}"}],
        }
        for path, number in inputs.items()
    ]
    return json.dumps({"version": 0, "use-external-names": False, "overlay-relative": False, "roots": roots}).encode()
