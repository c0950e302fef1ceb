"""What this installation consists of, and whether it can compile and call a kernel.

In: nothing. Out: facts by name, and problems with advice; nothing is printed here.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from symbiont_jit.errors import SymbiontError

__all__ = ["Finding", "examine"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact; `advice` is set where it is a problem."""

    name: str
    value: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Facts in the order in which one depends on another; the last one is a kernel that was compiled and called."""
    yield Finding("Python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.machine()})")
    yield from (_package(name) for name in ("symbiont-jit", "numpy", "numba", "llvmlite", "pycparser"))
    yield from _compilers()
    yield _sandbox()
    yield _trial()


def _package(name: str) -> Finding:
    try:
        return Finding(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", f"pip install {name}")


def _compilers() -> Iterator[Finding]:
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


def _sandbox() -> Finding:
    """Whether the system calls of workers are filtered; without, they still have limits."""
    from symbiont_jit.isolate.sandbox import filter_problem

    problem = filter_problem()
    return Finding("workers' system calls", "filtered" if problem is None else f"not filtered: {problem}")


def _trial() -> Finding:
    """Compile a kernel and call it from Python and from Numba."""
    from numba import njit

    from symbiont_jit.kernel import Kernel
    from symbiont_jit.signature import SCALARS, Param, Signature

    double = SCALARS["float64"]
    try:
        kernel = Kernel(
            Signature("trial", (Param("x", double),), double), source="double trial(double x) { return x + 1; }"
        )
        results = kernel(41.0), njit(lambda k, x: k(x))(kernel, 41.0)
    except SymbiontError as error:
        return Finding("trial kernel", "failed", str(error))
    if results != (42.0, 42.0):
        return Finding(
            "trial kernel", f"gave {results}", "report this with the output above: the machine code is wrong"
        )
    return Finding("trial kernel", "compiled, called from Python and from Numba")
