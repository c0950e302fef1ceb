"""Object code -> an address in this process, and back to nothing when it is closed.

In: `ObjectCode`. Out: a `Loaded` that owns its machine code. A loaded object sees its own functions and the library
functions it needs, each bound by address; it neither finds nor offers anything else in the process.

LLVM's LLJIT keeps about 9 KiB for every object that was ever loaded, freed or not, until the LLJIT itself goes. So
objects are loaded in generations of one LLJIT each, and a generation goes with the last of its objects.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.errors import CandidateError, Diagnostic, Stage

__all__ = ["Loaded", "load"]

GENERATION: Final = 256


@dataclass(slots=True, eq=False)
class Loaded:
    """Machine code in this process, at one address for each entry.

    `close()` takes it away, and is the caller's promise that nobody is inside.
    """

    addresses: tuple[int, ...]
    size: int
    _tracker: Any
    _generation: _Generation

    def close(self) -> None:
        """Give the memory back."""
        if self._tracker is not None:
            self.addresses = ()
            self._tracker.close()
            self._tracker = None


@dataclass(slots=True, eq=False)
class _Generation:
    """One LLJIT and how many objects it has seen."""

    lljit: Any
    seen: int = 0


@dataclass(slots=True)
class _Loader:
    """The generation that takes new objects."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    generation: _Generation | None = None
    names: Any = field(default_factory=itertools.count)

    def load(self, code: ObjectCode, extra: Mapping[str, int]) -> Loaded:
        import llvmlite.binding as llvm

        imports = {name: extra[name] if name in extra else _library_address(name) for name in code.needs}
        builder = llvm.JITLibraryBuilder().add_object_img(code.data)
        for entry in code.entries:
            builder.export_symbol(entry)
        for name, address in imports.items():
            builder.import_symbol(name, address)
        with self.lock:
            generation = self._open_generation()
            try:
                tracker = builder.link(generation.lljit, f"revision{next(self.names)}")
            except RuntimeError as error:
                message = f"the object code cannot be loaded: {str(error)[:300]}"
                raise CandidateError(Stage.LINK, [Diagnostic(Stage.LINK, "load", message)], "") from error
        return Loaded(tuple(int(tracker[entry]) for entry in code.entries), len(code.data), tracker, generation)

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


_LOADER: Final = _Loader()


def load(code: ObjectCode, extra: Mapping[str, int] | None = None) -> Loaded:
    """Put object code at an address; `extra` gives the addresses of names besides the library's.

    Raises `CandidateError` (stage `link`) where a name it needs does not exist here.
    """
    return _LOADER.load(code, extra or {})


@functools.cache
def _library_address(name: str) -> int:
    """Where the C or math library has a function."""
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
    return ctypes.CDLL(ctypes.util.find_library("m")), ctypes.CDLL(ctypes.util.find_library("c"))
