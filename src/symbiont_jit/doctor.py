"""What this installation consists of, and whether it can compile and call a kernel.

In: what makes a kernel of C text. Out: facts by name, and problems with advice; nothing is printed here.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from symbiont_jit.errors import SymbiontError

__all__ = ["Finding", "examine"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the installation: its name, its value, and advice where it is a problem (empty elsewhere)."""

    name: str
    value: str
    advice: str = ""


def examine(make_kernel: Callable[[str], Any]) -> Iterator[Finding]:
    """Find out facts in the order in which one depends on another.

    Args:
        make_kernel: Makes a kernel of C text, as `Kernel.from_c` does.

    Yields:
        Facts; the last one is about a kernel that was compiled, and called from Python and from Numba.
    """
    yield Finding("Python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.machine()})")
    yield from (_find_package(name) for name in ("symbiont-jit", "numpy", "numba", "llvmlite", "pycparser"))
    yield from _find_compilers()
    yield _check_sandbox()
    yield _try_kernel(make_kernel)


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


def _check_sandbox() -> Finding:
    """Find out whether the system calls of workers are filtered; workers have limits in any case."""
    from symbiont_jit.isolate.sandbox import filter_problem

    problem = filter_problem()
    return Finding("workers' system calls", "filtered" if problem is None else f"not filtered: {problem}")


def _try_kernel(make_kernel: Callable[[str], Any]) -> Finding:
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
