"""The user's object: a signature, a cell, and the revisions that the cell can point at.

This is where frontend (text), backend (code) and dispatch (calls) meet; none of them knows another.
"""

from __future__ import annotations

import contextlib
import ctypes
import dis
import functools
import inspect
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, overload

from symbiont_jit.backend.clang import clang
from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import ObjectCode, compile_object
from symbiont_jit.dispatch.callable import CellCallable
from symbiont_jit.dispatch.python_body import PythonCode, compile_python
from symbiont_jit.errors import KernelError, UsageError
from symbiont_jit.frontend import Canonical, canonical_source
from symbiont_jit.signature import Signature, signature_of

__all__ = ["Kernel", "Panic", "Revision", "evolvable", "preprocess"]

PROFILES: Final = ("release",)
_LATER_PROFILES: Final = ("safe", "checked")


@dataclass(frozen=True, slots=True)
class Panic:
    """A run-time fault that was caught; line and column count in the canonical source, 0 where there is none."""

    kind: str
    message: str
    line: int = 0
    column: int = 0


def preprocess(code: str) -> Any:
    """Macros and conditionals by clang's preprocessor, started only for text that has some."""
    return clang().preprocess(code)


class Revision(CellCallable):
    """One accepted, compiled body of a kernel; callable like the kernel, but it never changes.

    `number` counts from 0 within the kernel, `source` is canonical C (or Python, see `language`), `origin` says who
    proposed it, `object_code` is what was compiled (None for Python).
    """

    def __init__(
        self,
        signature: Signature,
        number: int,
        source: str,
        *,
        language: str = "c",
        origin: str = "",
        profile: str = "release",
        object_code: ObjectCode | None = None,
        body: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(signature)
        self.number = number
        self.source = source
        self.language = language
        self.origin = origin
        self.profile = profile
        self.object_code = object_code
        self._body = body
        self._code: Loaded | PythonCode | None = None
        self._lock = threading.Lock()

    @property
    def entry_address(self) -> int:
        """The address of the native code, which has the kernel's C prototype; valid while this revision is held."""
        self._require_code()
        return self._cell.target

    def _require_code(self) -> None:
        if self._code is not None:
            return
        with self._lock:
            if self._code is None:
                code = self._compiled()
                self._cell.store(code.address)
                self._code = code

    def _compiled(self) -> Loaded | PythonCode:
        if self.object_code is not None:
            return load(self.object_code)
        if self._body is None:
            raise KernelError(f"revision {self.number} of {self.signature.name!r} has no code")
        return compile_python(self._body, self.signature)

    def __repr__(self) -> str:
        origin = f", {self.origin}" if self.origin else ""
        return f"<Revision {self.number} of {self.signature.name} ({self.language}{origin})>"


class Kernel(CellCallable):
    """An evolvable function: call it from Python, or from Numba as a global or an argument.

    Made by `@evolvable`. All revisions stay; the cell points at the active one, and a swap is one store that compiled
    loops see at their next call.
    """

    def __init__(
        self,
        signature: Signature,
        body: Callable[..., Any] | None = None,
        source: str | bytes | None = None,
        profile: str | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        super().__init__(signature)
        self.profile = _profile(profile)
        self.flags = _flags(flags)
        self._body = body
        self._revisions: list[Revision] = []
        self._active: Revision | None = None
        self._stub: _Stub | None = None
        self._lock = threading.RLock()
        if body is not None:
            self._register_python(body)
        if source is not None:
            self.activate(self.compile(source, origin="declared source"))
        elif self._revisions:
            self._active = self._revisions[0]

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def c_prototype(self) -> str:
        """The C prototype a candidate has to implement."""
        return self.signature.c_prototype

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """All revisions in the order they were registered."""
        return tuple(self._revisions)

    @property
    def active(self) -> Revision | None:
        """The revision that calls go to; None before the first."""
        return self._active

    @property
    def source(self) -> str | None:
        """The source of the active revision: canonical C, or the Python body."""
        return self._active.source if self._active else None

    @property
    def has_python_body(self) -> bool:
        """Whether revision 0 is the decorated function's own body."""
        return self._body is not None

    def revision(self, number: int) -> Revision:
        """The handle of a revision: it is called like the kernel and stays what it is."""
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(self._revisions):
            known = f"0 to {len(self._revisions) - 1}" if self._revisions else "none yet"
            raise KernelError(f"{self.signature.name!r} has no revision {number!r}; there is {known}")
        return self._revisions[number]

    def __repr__(self) -> str:
        where = f"revision {self._active.number} of {len(self._revisions)}" if self._active else "no body yet"
        return f"<Kernel {self.signature} ({where})>"

    # -- what changes it ----------------------------------------------------------------------------------------

    def compile(self, source: str | bytes, profile: str | None = None, *, origin: str = "") -> Revision:
        """Validate and compile a candidate and register it, without activating it.

        Text that is canonically the same as an earlier revision's gives that revision. Raises `CandidateError`.
        """
        profile = _profile(profile or self.profile)
        canonical = self.canonical(source)
        with self._lock:
            known = self._known(canonical, profile)
        if known is not None:
            return known
        code = compile_object(canonical.text, canonical.name, self.flags, profile)
        return self.register(canonical, code, profile, origin)

    def swap(self, source: str | bytes, profile: str | None = None) -> Revision:
        """Validate, compile, register and activate; raises `CandidateError` and then changes nothing."""
        revision = self.compile(source, profile)
        self.activate(revision)
        return revision

    def activate(self, revision: Revision | int) -> Revision:
        """Send all later calls to a revision of this kernel."""
        chosen = self.revision(revision) if isinstance(revision, int) else revision
        if not isinstance(chosen, Revision) or not any(chosen is r for r in self._revisions):
            raise KernelError(
                f"{revision!r} is not a revision of {self.signature.name!r}; compile its source here first"
            )
        target = chosen.entry_address
        with self._lock:
            self._cell.store(target)
            self._active = chosen
        return chosen

    @contextlib.contextmanager
    def lent(self, revision: Revision) -> Iterator[Kernel]:
        """The kernel with a revision of somebody else's active; afterwards it is as it was. For worker processes."""
        before = self._active, self._cell.target
        self._cell.store(revision.entry_address)
        self._active = revision
        try:
            yield self
        finally:
            self._active = before[0]
            self._cell.store(before[1])

    def canonical(self, source: str | bytes) -> Canonical:
        """The canonical form of a candidate for this kernel; raises `CandidateError`."""
        return canonical_source(source, self.signature, preprocess)

    def register(self, canonical: Canonical, code: ObjectCode, profile: str = "release", origin: str = "") -> Revision:
        """Add compiled code as a revision, not active and not loaded; an equal one that exists is given back."""
        with self._lock:
            known = self._known(canonical, profile)
            if known is not None:
                return known
            number = len(self._revisions)
            revision = Revision(
                self.signature, number, canonical.text, origin=origin, profile=profile, object_code=code
            )
            self._revisions.append(revision)
            return revision

    def take_panic(self) -> Panic | None:
        """The last panic since it was last asked for, and forget it."""
        return self._stub.take_panic() if self._stub else None

    def _known(self, canonical: Canonical, profile: str) -> Revision | None:
        for revision in self._revisions:
            if revision.language == "c" and revision.source == canonical.text and revision.profile == profile:
                return revision
        return None

    def _register_python(self, body: Callable[..., Any]) -> None:
        revision = Revision(
            self.signature, 0, _python_source(body), language="python", origin="declared body", body=body
        )
        self._revisions.append(revision)

    def _require_code(self) -> None:
        if not self._cell.target:
            self._find_code()

    def _find_code(self) -> None:
        with self._lock:
            if self._active is not None:
                self._cell.store(self._active.entry_address)
            else:
                self._stub = self._stub or _Stub(self.signature)
                self._cell.store(self._stub.address)


class _Stub:
    """What a kernel without any body calls: it returns zero and leaves a panic."""

    def __init__(self, signature: Signature) -> None:
        self._name = signature.name
        self._hit = ctypes.c_int64(0)
        result = "return 0;" if signature.returns else ""
        text = (
            f"extern volatile int64_t sj_unevolved;\n{signature.c_prototype}\n{{\n  sj_unevolved = 1;\n  {result}\n}}\n"
        )
        code = compile_object(text, signature.name, also_needs=frozenset({"sj_unevolved"}))
        self._loaded = load(code, {"sj_unevolved": ctypes.addressof(self._hit)})
        self.address = self._loaded.address

    def take_panic(self) -> Panic | None:
        if not self._hit.value:
            return None
        self._hit.value = 0
        return Panic("unevolved", f"{self._name!r} has no body yet; give it one with swap(), source= or a search")


def _profile(name: str | None) -> str:
    if name is None or name in PROFILES:
        return name or "release"
    if name in _LATER_PROFILES:
        raise UsageError(f"the profile {name!r} is not built yet; use 'release' and see CAVEATS.md for what it means")
    raise UsageError(f"there is no profile {name!r}; use one of {', '.join((*PROFILES, *_LATER_PROFILES))}")


def _flags(flags: Sequence[str]) -> tuple[str, ...]:
    if isinstance(flags, str) or not all(isinstance(f, str) for f in flags):
        raise UsageError(f"flags is a list of clang options like ['-O2'], not {flags!r}")
    return tuple(flags)


def _python_source(body: Callable[..., Any]) -> str:
    with contextlib.suppress(OSError, TypeError):
        return textwrap.dedent(inspect.getsource(body))
    return f"# the source of {body.__name__} is not available\n"


@functools.cache
def _empty_bytecode() -> frozenset[bytes]:
    def documented() -> None:
        """Only a docstring."""

    def bare() -> None: ...

    return frozenset(_bytecode(f) for f in (documented, bare))


def _bytecode(function: Callable[..., Any]) -> bytes:
    return " ".join(f"{i.opname}:{i.argval!r}" for i in dis.get_instructions(function)).encode()


def is_empty(function: Callable[..., Any]) -> bool:
    """Whether a body is `...`, `pass` or only a docstring."""
    return _bytecode(function) in _empty_bytecode()


@overload
def evolvable(function: Callable[..., Any], /) -> Kernel: ...


@overload
def evolvable(
    *, source: str | bytes | Path | None = None, profile: str | None = None, flags: Sequence[str] = ()
) -> Callable[[Callable[..., Any]], Kernel]: ...


def evolvable(
    function: Callable[..., Any] | None = None,
    /,
    *,
    source: str | bytes | Path | None = None,
    profile: str | None = None,
    flags: Sequence[str] = (),
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a function's annotations.

    The Python body becomes revision 0 (compiled by Numba at its first use) and the reference. `source` is C text, or a
    path to it: with a Python body it becomes revision 1 and active, with a body of `...` it is revision 0. `flags` are
    further clang options. Raises `SignatureError` for annotations with no C form, `CandidateError` for the source.
    """
    namespace = sys._getframe(1).f_locals

    def declare(body: Callable[..., Any]) -> Kernel:
        if not inspect.isfunction(body):
            raise UsageError(f"@evolvable takes a plain Python function, not {body!r}")
        signature = signature_of(body, namespace)
        kernel = Kernel(signature, None if is_empty(body) else body, _source_text(source), profile=profile, flags=flags)
        functools.update_wrapper(kernel, body)
        return kernel

    return declare if function is None else declare(function)


def _source_text(source: str | bytes | Path | None) -> str | bytes | None:
    """C text as it is; a path's content. A string that ends in `.c` and has no brace can only be a path."""
    if isinstance(source, Path) or (isinstance(source, str) and source.endswith(".c") and "{" not in source):
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise UsageError(f"source={str(source)!r} cannot be read: {error}") from error
    return source
