"""Object code -> addresses in this process, and back to nothing when it is closed.

In: `ObjectCode`. Out: a `Loaded` that owns its machine code. A loaded object sees its own functions and the library
functions it needs, each bound by address; it neither finds nor offers anything else in the process.

On x86-64 `linker` places objects side by side, at about their size each. Elsewhere, and for what it does not know,
LLVM's LLJIT does it, at 44 KiB an object. LLJIT keeps about 9 KiB of every object that was ever loaded, freed or not,
until it goes itself. So those objects are loaded in generations of one LLJIT each, and a generation goes with its last
object.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.backend.code_memory import CODE_RANGES, find_mapping
from symbiont_jit.backend.linker import CannotLink, link
from symbiont_jit.backend.llvm_lock import llvm_lock
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.errors import CandidateError, Diagnostic, Stage
from symbiont_jit.uninterrupted import uninterrupted

__all__ = ["Loaded", "load"]

GENERATION: Final = 256


@dataclass(slots=True, eq=False)
class Loaded:
    """Machine code in this process, at one address for each entry; it goes with this object.

    `close()` takes it away at once, and is the caller's promise that nobody is inside.
    """

    addresses: tuple[int, ...]
    size: int
    _code: Any
    _generation: _Generation | None = None

    def close(self) -> None:
        """Give the memory back; a second call does nothing."""
        code, self._code, self.addresses = self._code, None, ()
        if code is not None:
            code.close()

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if not is_finalizing():  # At the end of the process modules may be gone already.
            self.close()


@dataclass(slots=True, eq=False)
class _TrackedCode:
    """Code that LLJIT has placed, and the start of the pages that it is on."""

    tracker: Any
    start: int

    def close(self) -> None:
        CODE_RANGES.remove(self.start)
        self.tracker.close()


@dataclass(slots=True, eq=False)
class _Generation:
    """One LLJIT and how many objects it has seen."""

    lljit: Any
    seen: int = 0


@dataclass(slots=True)
class _LljitLoader:
    """The way through LLJIT: the generation that takes new objects."""

    generation: _Generation | None = None
    names: Any = field(default_factory=itertools.count)

    def load(self, code: ObjectCode, extra: Mapping[str, int]) -> Loaded:
        import llvmlite.binding as llvm

        builder = llvm.JITLibraryBuilder().add_object_img(code.data)
        for entry in code.entries:
            builder.export_symbol(entry)
        for name in code.needs:
            builder.import_symbol(name, _require_value(name, _address(name, extra)))
        with llvm_lock():
            generation = self._open_generation()
            try:
                tracker = builder.link(generation.lljit, f"revision{next(self.names)}")
            except RuntimeError as error:
                message = f"the object code cannot be loaded: {str(error)[:300]}"
                raise CandidateError(Stage.LINK, [Diagnostic(Stage.LINK, "load", message)], "") from error
        addresses = tuple(int(tracker[entry]) for entry in code.entries)
        start, end = find_mapping(addresses[0])
        CODE_RANGES.add(start, end)
        return Loaded(addresses, len(code.data), _TrackedCode(tracker, start), generation)

    def _open_generation(self) -> _Generation:
        if self.generation is None or self.generation.seen >= GENERATION:
            self.generation = _Generation(_new_lljit())
        self.generation.seen += 1
        return self.generation


def _new_lljit() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler()


_LOADER: Final = _LljitLoader()


@uninterrupted
def load(code: ObjectCode, extra: Mapping[str, int] | None = None) -> Loaded:
    """Put object code at an address; `extra` gives the addresses of names besides the library's.

    Raises:
        CandidateError: A name that the code needs does not exist here (stage `link`).
    """
    bound = extra or {}
    try:
        linked = link(code.data, code.entries, lambda name: _address(name, bound))
    except CannotLink:
        return _LOADER.load(code, bound)
    return Loaded(linked.addresses, linked.size, linked)


def _require_value(name: str, value: int) -> int:
    """Return what a name stands for; raise `CandidateError` for 0, with which LLVM would end the process."""
    if value == 0:
        message = f"the object code cannot be loaded: '{name}' stands for nothing"
        raise CandidateError(Stage.LINK, [Diagnostic(Stage.LINK, "load", message)], "")
    return value


def _address(name: str, extra: Mapping[str, int]) -> int:
    return extra[name] if name in extra else _library_address(name)


@functools.cache
def _library_address(name: str) -> int:
    """Find the address of a function in the C or math library."""
    for library in _libraries():
        try:
            function = getattr(library, name)
        except AttributeError:
            continue
        return ctypes.cast(function, ctypes.c_void_p).value or 0
    message = f"this system's C library has no '{name}'"
    raise CandidateError(Stage.LINK, [Diagnostic(Stage.LINK, "call", message)], "")


@functools.cache
def _libraries() -> tuple[ctypes.CDLL, ...]:
    """Return the math and C library, under the names that glibc gives them, or all that this process has loaded.

    `ctypes.util.find_library` starts programs and writes files, which a worker may not do.
    """
    try:
        return ctypes.CDLL("libm.so.6"), ctypes.CDLL("libc.so.6")
    except OSError:
        return (ctypes.CDLL(None),)
