"""Which clang there is and whether its bitcode fits llvmlite's LLVM; which machine both compile for.

In: the environment of this process. Out: a frozen `Toolchain`, or `ToolchainError` that says what to install.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symbiont_jit.backend.child_process import Child, ChildError, Deadline, again_where_lost, spawn
from symbiont_jit.errors import ToolchainError
from symbiont_jit.uninterrupted import once

__all__ = [
    "ADVICE",
    "Toolchain",
    "ask",
    "describe_host",
    "find_toolchain",
    "llvm_version",
    "target_cpu",
    "target_features",
    "target_triple",
]

VARIABLE: Final = "SYMBIONT_JIT_CLANG"
ADVICE: Final = (
    "install the clang that this package is tested with: pip install 'ziglang==0.17.*'; "
    f"or set {VARIABLE} to the path of a clang whose major version is not newer than llvmlite's LLVM"
)
_START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A clang that was started once: `command` runs its driver, `origin` says where it was found."""

    command: tuple[str, ...]
    version: tuple[int, int, int]
    origin: str

    @property
    def version_text(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


def llvm_version() -> tuple[int, ...]:
    """Return the version of the LLVM inside llvmlite."""
    import llvmlite.binding as llvm

    return tuple(llvm.llvm_version_info)


@once
def find_toolchain() -> Toolchain:
    """Find the first clang that fits: `SYMBIONT_JIT_CLANG`, then the `ziglang` wheel, then `clang` on the path.

    A variable that is set is an order: when that clang is missing or too new, nothing else is tried.

    Raises:
        ToolchainError: No clang fits; the message says what was found where and what to install.
    """
    refused = []
    for origin, command in _places():
        version = _version(command)
        problem = _problem(command, version)
        if problem is None:
            assert version is not None
            return Toolchain(command, version, origin)
        refused.append(f"{origin}: {problem}")
        if origin == VARIABLE:
            break
    found = "; ".join(refused) if refused else "there is no ziglang package and no clang on the path"
    raise ToolchainError(f"no usable clang ({found}); {ADVICE}")


def _places() -> Iterator[tuple[str, tuple[str, ...]]]:
    if chosen := os.environ.get(VARIABLE):
        yield VARIABLE, _command(chosen)
    if zig := _zig_binary():
        yield "ziglang wheel", (str(zig), "clang")
    if path := shutil.which("clang"):
        yield "PATH", (path,)


def _command(path: str) -> tuple[str, ...]:
    """Return the command of a clang; a zig binary carries clang behind a word, any other binary is taken for clang."""
    return (path, "clang") if Path(path).name in ("zig", "zig.exe") else (path,)


def _zig_binary() -> Path | None:
    # The package only wraps its binary; finding it without importing runs none of its code.
    spec = importlib.util.find_spec("ziglang")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / "zig").exists():
            return path
    return None


def ask(command: Sequence[str]) -> Child:
    """Run a program without input to its end; raise `OSError` or `ChildError` where it does not start or end."""
    return again_where_lost(lambda: _ask_once(command))


def _ask_once(command: Sequence[str]) -> Child:
    child = spawn(command, "clang", "starting clang")
    try:
        child.end_input()
        child.read_all(Deadline(_START_SECONDS))
    finally:
        child.end()
    return child


def _version(command: tuple[str, ...]) -> tuple[int, int, int] | None:
    try:
        said = ask([*command, "--version"]).output
    except (OSError, ChildError):
        return None
    match = re.search(rb"clang version (\d+)\.(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _problem(command: tuple[str, ...], version: tuple[int, int, int] | None) -> str | None:
    if version is None:
        return f"{' '.join(command)} does not run or is no clang"
    llvm = llvm_version()
    if version[0] > llvm[0]:
        return f"clang {version[0]} is newer than llvmlite's LLVM {llvm[0]}, which cannot read what it writes"
    return None


@functools.cache
def target_triple() -> str:
    """Return the host's triple, because zig's default is musl, and Python's process is not."""
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
    """Return the host's CPU features as LLVM writes them, `+avx2` or `-avx512f`."""
    import llvmlite.binding as llvm

    features: str = llvm.get_host_cpu_features().flatten()
    return tuple(f for f in features.split(",") if f)


def describe_host() -> str:
    """Describe the machine that object code is for: it runs where the description is the same."""
    return "\n".join((target_triple(), target_cpu(), ",".join(target_features())))
