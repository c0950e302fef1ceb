"""What this installation consists of, and whether it can compile and call a kernel.

In: what makes a kernel of C text. Out: facts by name, and problems with advice; nothing is printed here.
"""

from __future__ import annotations

import contextlib
import os
import platform
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from symbiont_jit.errors import PanicError, SymbiontError

__all__ = ["Finding", "examine"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the installation: its name, its value, and advice where it is a problem (empty elsewhere)."""

    name: str
    value: str
    advice: str = ""


def examine(make_kernel: Callable[[str], Any], search: Callable[[Any], str]) -> Iterator[Finding]:
    """Find out facts in the order in which one depends on another.

    Args:
        make_kernel: Makes a kernel of C text, as `Kernel.from_c` does.
        search: Searches with a kernel for a second, and says what came of it.

    Yields:
        Facts; the last ones are about what was tried: a worker, a kernel, an interruption and a search.
    """
    yield Finding("Python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.machine()})")
    yield from (_find_package(name) for name in ("symbiont-jit", "numpy", "numba", "llvmlite", "pycparser"))
    yield from _find_compilers()
    for name, attempt in _ATTEMPTS.items():
        try:
            yield attempt(make_kernel, search)
        except Exception as error:  # Whatever it is, who asks the doctor wants to know it.
            yield Finding(name, "failed", f"{type(error).__name__}: {error}")


def _find_package(name: str) -> Finding:
    try:
        return Finding(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", f"pip install {name}")


def _find_compilers() -> Iterator[Finding]:
    from symbiont_jit.backend.toolchain import (
        find_toolchain,
        llvm_version,
        target_cpu,
        target_features,
        target_triple,
    )

    yield Finding("LLVM in llvmlite", ".".join(map(str, llvm_version())))
    try:
        tool = find_toolchain()
        yield Finding("clang", f"{tool.version_text} ({tool.origin}: {' '.join(tool.command)})")
    except SymbiontError as error:
        yield Finding("clang", "none that can be used", str(error))
    yield Finding("target", target_triple())
    yield Finding("CPU", target_cpu())
    yield Finding("CPU features", " ".join(f[1:] for f in target_features() if f.startswith("+")))


def _try_worker(*_: Any) -> Finding:
    """Let a worker answer, and try what it may not do."""
    from symbiont_jit.isolate.landlock import landlock_version
    from symbiont_jit.isolate.sandbox import filter_problem
    from symbiont_jit.isolate.worker import Worker, WorkerReply

    worker = Worker(_reach_out, reply_type=list[str])
    try:
        outcome = worker.ask(os.getpid(), 10.0)
    finally:
        worker.close()
    if not isinstance(outcome, WorkerReply):
        return Finding("worker", f"no answer: {outcome}", "no search works here; report this with the output above")
    allowed = f"it may {' and '.join(outcome.value)}" if outcome.value else "it reaches nobody"
    reasons = [filter_problem(), None if landlock_version() else "this Linux has no Landlock"]
    return Finding("worker", "; ".join(["answers", allowed, *filter(None, reasons)]))


#: What a worker may not do without a permission, in words; the argument is the parent's number.
_REACHES: Mapping[str, Callable[[int], Any]] = {
    "write files": lambda parent: os.close(os.open(os.devnull, os.O_WRONLY)),
    "use the network": lambda parent: socket.socket().close(),
    "signal others": lambda parent: os.kill(parent, 0),
    "read other processes": lambda parent: Path(f"/proc/{parent}/environ").read_bytes(),
}


def _reach_out(parent: int) -> list[str]:
    done = []
    for name, attempt in _REACHES.items():
        with contextlib.suppress(OSError):
            attempt(parent)
            done.append(name)
    return done


def _try_kernel(make_kernel: Callable[[str], Any], *_: Any) -> Finding:
    """Compile a kernel and call it from Python and from Numba."""
    from numba import njit

    try:
        kernel = make_kernel("double trial(double x) { return x + 1; }")
        results = kernel(41.0), njit(lambda k, x: k(x))(kernel, 41.0)
    except SymbiontError as error:
        return Finding("trial kernel", "failed", str(error))
    if results != (42.0, 42.0):
        return Finding(
            "trial kernel", f"gave {results}", "report this with the output above: the machine code is wrong"
        )
    return Finding("trial kernel", "compiled, called from Python and from Numba")


def _try_interrupting(make_kernel: Callable[[str], Any], *_: Any) -> Finding:
    """End a loop that does not end by itself."""
    from symbiont_jit.runtime.interrupt import time_limit

    kernel = make_kernel("double trial(double x) { while (x < 9) x = x / 2; return x; }")
    try:
        with time_limit(0.2):
            kernel(1.0)
    except PanicError as error:
        return Finding("interrupting", f"an endless loop was ended: {error.panic.kind}")
    return Finding("interrupting", "a loop ended by itself", "report this with the output above")


def _try_search(make_kernel: Callable[[str], Any], search: Callable[[Any], str]) -> Finding:
    return Finding("trial search", search(make_kernel("double trial(double x) { return x + x + 1; }")))


#: What is tried, by its name in the findings.
_ATTEMPTS: Mapping[str, Callable[[Callable[[str], Any], Callable[[Any], str]], Finding]] = {
    "worker": _try_worker,
    "trial kernel": _try_kernel,
    "interrupting": _try_interrupting,
    "trial search": _try_search,
}
