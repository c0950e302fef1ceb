"""clang as a child process: C on its standard input, object code or bitcode on its standard output.

In: a unit of C text that the frontend printed (never text that somebody proposed; `preprocess` is the one
exception, and says why it is safe). Out: bytes, or clang's findings as `Diagnostic`s. Nothing touches the disk.

Three things make a call short. The driver is asked once what it would run (`-###`), and from then on that is run
directly (`-cc1`). A process of that kind is always kept waiting on its standard input, because a third of a small
compilation is the start of the process. And object code comes from clang itself rather than from llvmlite: the same
code generator, but outside this process, where it can be killed, can use another core and takes no lock.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import resource
import selectors
import shlex
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from symbiont_jit.backend.toolchain import ADVICE, Toolchain, find_toolchain, llvm_version
from symbiont_jit.c import vocabulary
from symbiont_jit.errors import Diagnostic, Severity, Stage, ToolchainError

__all__ = ["Clang", "Emit", "clang", "target_features", "target_triple"]

#: Seconds for one compilation and bytes of memory for the process that does it.
TIMEOUT: Final = 10.0
MEMORY: Final = 1 << 30
PREPROCESS_TIMEOUT: Final = 0.8
MAX_OUTPUT: Final = 16 << 20
MAX_MESSAGES: Final = 64 << 10

_FIXED: Final = (
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
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-stack-protector",
    "-nostdinc",
    "-Wno-everything",
    # What C lets pass with a warning, but is wrong in a kernel: wrong pointers, lost const, no return value.
    *(
        f"-Werror={name}"
        for name in (
            "cast-qual implicit-function-declaration implicit-int incompatible-pointer-types "
            "incompatible-function-pointer-types incompatible-pointer-types-discards-qualifiers int-conversion "
            "return-type array-bounds unknown-pragmas"
        ).split()
    ),
)

_DIAGNOSTIC: Final = re.compile(
    r"^(?P<file>[^:\n]+):(?P<line>\d+):(?P<column>\d+): (?P<severity>fatal error|error): (?P<message>.*)$", re.MULTILINE
)

Emit = str
OBJECT: Final[Emit] = "object"
BITCODE: Final[Emit] = "bitcode"
#: Nothing but the errors.
SYNTAX: Final[Emit] = "syntax"
_EMIT_FLAGS: Final[Mapping[Emit, tuple[str, ...]]] = {
    OBJECT: ("-c",),
    BITCODE: ("-c", "-emit-llvm"),
    SYNTAX: ("-fsyntax-only",),
}


@functools.cache
def target_triple() -> str:
    """The host's triple. zig's default is musl, and Python's process is not."""
    import llvmlite.binding as llvm

    triple: str = llvm.get_default_triple()
    return triple


@functools.cache
def target_cpu() -> str:
    """LLVM's name of the host's CPU."""
    import llvmlite.binding as llvm

    name: str = llvm.get_host_cpu_name()
    return name


@functools.cache
def target_features() -> tuple[str, ...]:
    """The host's CPU features as LLVM writes them, `+avx2` or `-avx512f`."""
    import llvmlite.binding as llvm

    features: str = llvm.get_host_cpu_features().flatten()
    return tuple(f for f in features.split(",") if f)


#: Processes that wait for a unit, one for each set of flags; the one that was used longest ago goes.
MAX_WAITING: Final = 4
#: The most of one kind, where many units are expected at once.
MAX_EXPECTED: Final = 32


@dataclass(slots=True)
class Clang:
    """One clang and the processes that wait for its next unit; safe to call from several threads."""

    toolchain: Toolchain
    _commands: dict[tuple[Emit, tuple[str, ...]], tuple[str, ...]] = field(default_factory=dict)
    _waiting: dict[tuple[str, ...], list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lower(self, unit: str, emit: Emit = OBJECT, flags: Sequence[str] = ()) -> bytes | list[Diagnostic]:
        """Object code or bitcode of a unit, or clang's errors."""
        command = self._command(emit, tuple(flags))
        process = self._send(command, unit)
        self._keep(command)
        output, messages, problem = _drain(process, TIMEOUT)
        if problem is not None:
            return [Diagnostic(Stage.LOWER, "limit", problem)]
        if process.returncode == 0:
            return output
        return _diagnostics(messages, Stage.LOWER) or [
            Diagnostic(Stage.LOWER, "compiler", _crash_message(process.returncode, messages))
        ]

    def preprocess(self, code: str) -> str | list[Diagnostic]:
        """Macros and conditionals expanded, with line markers for the parser.

        The text was proposed by somebody, so it is in here that nothing may reach outside: no include path, and the
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
        output, messages, problem = _drain(self._send(command, code), PREPROCESS_TIMEOUT)
        if problem is not None:
            return [Diagnostic(Stage.PREPROCESS, "limit", problem + "; use functions instead of macros")]
        found = _diagnostics(messages, Stage.PREPROCESS)
        if found or not output:
            return found or [Diagnostic(Stage.PREPROCESS, "compiler", "the preprocessor failed")]
        return _own_lines(output.decode("utf-8", "replace"))

    def _target_flags(self) -> tuple[str, ...]:
        flags = [f"--target={target_triple()}"]
        if target_triple().startswith("x86_64"):
            flags.append("-march=native")
        else:
            flags.append(f"-mcpu={target_cpu()}")
        return tuple(flags)

    def _command(self, emit: Emit, flags: tuple[str, ...]) -> tuple[str, ...]:
        """What the driver would run for these flags, asked once."""
        key = (emit, flags)
        if key not in self._commands:
            driver = (
                *self.toolchain.command,
                *_EMIT_FLAGS[emit],
                *("-O3", *_FIXED, *self._target_flags(), *flags, "-x", "c", "-o", "-", "-"),
            )
            self._commands[key] = _direct_command(driver)
        return self._commands[key]

    def _send(self, command: tuple[str, ...], text: str) -> subprocess.Popen[bytes]:
        """Give a unit to a process, the waiting one if there is one, and close its input.

        The lock is held, because no fork may come between: a child with a copy of the pipe would keep it open.
        """
        with self._lock:
            waiting = self._waiting.pop(command, [])
            process = waiting.pop() if waiting else _spawn(command)
            if waiting:
                self._waiting[command] = waiting
            if process.poll() is not None:
                process = _spawn(command)
            _limit_memory(process.pid)
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it died: draining it will tell
                process.stdin.write(text.encode())
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return process

    def _keep(self, command: tuple[str, ...]) -> None:
        """Start the process that the next unit will find waiting."""
        with self._lock:
            if command not in self._waiting:
                self._waiting[command] = [_spawn(command)]
            while len(self._waiting) > MAX_WAITING:
                for process in self._waiting.pop(next(iter(self._waiting))):
                    _end(process)

    def expect(self, emit: Emit, flags: Sequence[str], units: int) -> None:
        """Have processes waiting for so many units that will come at about the same time, at most `MAX_EXPECTED`.

        A process takes about as long to start as a small unit to compile. Fewer than are waiting ends the rest.
        """
        command = self._command(emit, tuple(flags))
        wanted = max(1, min(units, MAX_EXPECTED))
        for _ in range(wanted):
            with self._lock:  # for each: a compilation must not wait for all of them
                waiting = self._waiting.setdefault(command, [])
                if len(waiting) >= wanted:
                    break
                waiting.append(_spawn(command))
        with self._lock:
            waiting = self._waiting.get(command, [])
            extra = waiting[wanted:]
            del waiting[wanted:]
        for process in extra:
            _end(process)

    @property
    def waiting(self) -> list[subprocess.Popen[bytes]]:
        """The processes that wait for a unit."""
        return [process for processes in self._waiting.values() for process in processes]

    def hold(self) -> None:
        """Before a fork: wait until no unit is half sent."""
        self._lock.acquire()

    def resume(self) -> None:
        """After a fork, in the parent."""
        self._lock.release()

    def forget(self) -> None:
        """After a fork, in the child: close its copies of the waiting processes' pipes."""
        self._lock = threading.Lock()
        for process in self.waiting:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.returncode = 0  # not our child: nothing to wait for, nothing to warn about
        self._waiting.clear()

    def close(self) -> None:
        """End the waiting processes: they see the end of their input."""
        with self._lock:
            for process in self.waiting:
                _end(process)
            self._waiting.clear()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that waits for a unit."""
    process.kill()
    process.communicate()


@functools.cache
def clang() -> Clang:
    """The process-wide clang; raises `ToolchainError` where there is none."""
    found = Clang(find_toolchain())
    os.register_at_fork(before=found.hold, after_in_parent=found.resume, after_in_child=found.forget)
    atexit.register(found.close)
    return found


def _direct_command(driver: tuple[str, ...]) -> tuple[str, ...]:
    """The `-cc1` command behind a driver's; the driver itself where it does not say."""
    try:
        done = subprocess.run([*driver, "-###"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolchainError(f"clang does not start: {error}; {ADVICE}") from error
    for line in done.stderr.splitlines():
        words = shlex.split(line) if line.lstrip().startswith('"') else []
        if "-cc1" in words[:2]:
            return tuple(words)
    if "error:" in done.stderr:
        first = next(line for line in done.stderr.splitlines() if "error:" in line)
        raise ToolchainError(f"clang refuses its options: {first.partition('error:')[2].strip()}")
    return driver


def _spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # The C locale keeps the messages parsable; nothing else of the environment concerns a compiler.
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            process_group=0,  # Ctrl-C is not for it: a compilation that it ended would be the candidate's failure
        )
    except OSError as error:
        raise ToolchainError(f"clang does not start: {error}; {ADVICE}") from error


def _drain(process: subprocess.Popen[bytes], timeout: float) -> tuple[bytes, bytes, str | None]:
    """Both outputs to their ends and the process reaped; past a limit it is killed and the limit named."""
    assert process.stdout is not None
    assert process.stderr is not None
    output, messages = bytearray(), bytearray()
    problem = None
    deadline = time.monotonic() + timeout
    with process.stdout, process.stderr, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, (output, MAX_OUTPUT))
        selector.register(process.stderr, selectors.EVENT_READ, (messages, MAX_MESSAGES))
        while selector.get_map() and problem is None:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                problem = f"compiling took longer than {timeout:g} seconds"
            for key, _ in ready:
                problem = _read_some(selector, key) or problem
        if problem is not None:
            process.kill()
    process.wait()
    return bytes(output), bytes(messages), problem


def _read_some(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> str | None:
    buffer, limit = key.data
    chunk = os.read(key.fd, 1 << 16)
    if not chunk:
        selector.unregister(key.fileobj)
        return None
    buffer += chunk
    return f"the compiler wrote more than {limit >> 10} KiB" if len(buffer) > limit else None


def _limit_memory(pid: int) -> None:
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY, MEMORY))


def _diagnostics(messages: bytes, stage: Stage) -> list[Diagnostic]:
    text = messages.decode("utf-8", "replace")
    return [
        Diagnostic(stage, "compiler", m["message"][:300], int(m["line"]), int(m["column"]), Severity.ERROR)
        for m in _DIAGNOSTIC.finditer(text)
    ]


def _crash_message(returncode: int, messages: bytes) -> str:
    first = next(iter(messages.decode("utf-8", "replace").splitlines()), "")[:200]
    how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
    return f"the compiler failed ({how}){': ' + first if first else ''}; write the function more plainly"


def _own_lines(expanded: str) -> str:
    """The preprocessor's output without what is not from the text itself, each line at its number in the text."""
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


def describe_target() -> str:
    """Everything besides the text and flags that object code depends on: target, CPU, features, compiler."""
    parts = (describe_host(), clang().toolchain.version_text, *_FIXED)
    return "\n".join([*parts, f"llvm {'.'.join(map(str, llvm_version()))}"])


def describe_host() -> str:
    """The machine that object code is for: it runs where this is the same."""
    return "\n".join((target_triple(), target_cpu(), ",".join(target_features())))
