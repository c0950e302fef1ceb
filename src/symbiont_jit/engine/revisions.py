"""The revisions of functions that evolve together: numbers, known texts, pins.

In: canonical texts with object code, or Python bodies. Out: numbered revisions. All of them stay, as text and object
code; `activation` decides which of them have machine code in this process.
"""

from __future__ import annotations

import contextlib
import itertools
import operator
import weakref
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.backend.loader import Loaded
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.dispatch.cell import Table
from symbiont_jit.dispatch.numba.bodies import PythonCode
from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.functions import DeclaredFunctions
from symbiont_jit.engine.stubs import Stub
from symbiont_jit.errors import KernelError
from symbiont_jit.frontend import Canonical

__all__ = ["CodeState", "Pin", "PythonBody", "RevisionInfo", "Revisions", "revision_number"]

PythonBody = Callable[..., Any]

_identities = itertools.count(1)
#: An author's text may have halves of characters in its comments, as JSON may.
_ANY_TEXT: Final = ("utf-8", "surrogatepass")


class Pin:
    """A token that keeps a revision's code loaded for as long as it lives; handles and their calls hold it."""

    __slots__ = ("__weakref__",)


@dataclass(slots=True, eq=False)
class CodeState:
    """The state of a revision's code in this process; only `activation` and `loading` change it.

    `linked` are the Python bodies as Numba has them, which call each other; `code` is the machine code while it is
    loaded; `table` has a cell for each function once their addresses are known; `was_active` says whether calls through
    a kernel may be inside the code; `members` are what compiled code finds the table's cells by.
    """

    linked: tuple[Any, ...] = ()
    code: Loaded | tuple[PythonCode | Stub, ...] | None = None
    table: Table | None = None
    was_active: bool = False
    members: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class RevisionInfo:
    """One accepted text with its code, for all functions that evolve together.

    `number` is -1 for a candidate that is not registered. `bodies` are Python functions instead of object code, with
    None for a function without one. `sites` are packed and say what the numbers in panics of the object code mean, on
    the lines of the author's text; `_packed_text` is that text, packed. `identity` is the number that instrumented code
    leaves in its panics; no two revisions of a process share it.
    """

    number: int
    source: str
    language: str = "c"
    origin: str = ""
    profile: str = "release"
    object_code: ObjectCode | None = None
    sites: bytes = b""
    bodies: tuple[PythonBody | None, ...] = ()
    identity: int = field(default_factory=_identities.__next__)
    state: CodeState = field(default_factory=CodeState)
    _packed_text: bytes = b""

    @classmethod
    def of_build(cls, build: Build, number: int, origin: str) -> RevisionInfo:
        """Make the record of compiled code."""
        canonical = build.canonical
        is_own = canonical.author_text == canonical.text
        packed = b"" if is_own else zlib.compress(canonical.author_text.encode(*_ANY_TEXT))
        return cls(
            *(number, canonical.text, "c", origin, build.profile, build.object_code, build.sites), _packed_text=packed
        )

    @property
    def author_text(self) -> str:
        """The text as its author wrote it, whose lines diagnostics and panics count."""
        return zlib.decompress(self._packed_text).decode(*_ANY_TEXT) if self._packed_text else self.source

    @property
    def about(self) -> str:
        """Language, profile and where the text came from, on one line."""
        profile = [] if self.language == "python" else [self.profile]
        return ", ".join([self.language, *profile, " ".join(self.origin.split()) or "by hand"])

    @property
    def stored_bytes(self) -> int:
        """Bytes of texts, object code and sites."""
        code = len(self.object_code.data) if self.object_code else 0
        return len(self.source.encode()) + len(self._packed_text) + code + len(self.sites)


@dataclass(slots=True, eq=False)
class Revisions:
    """Revisions by number; an unpickled kernel has only some, under their own numbers."""

    functions: DeclaredFunctions
    _by_number: dict[int, RevisionInfo] = field(default_factory=dict)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)
    _pins: weakref.WeakValueDictionary[int, Pin] = field(default_factory=weakref.WeakValueDictionary)

    def __iter__(self) -> Iterator[RevisionInfo]:
        """Iterate over all revisions there are now, in the order in which they were registered."""
        return iter(list(self._by_number.values()))

    def __len__(self) -> int:
        return len(self._by_number)

    @property
    def first(self) -> RevisionInfo | None:
        """The revision with the least number."""
        return next(iter(self._by_number.values()), None)

    def get(self, number: Any) -> RevisionInfo:
        """Return the revision of a number; raise `KernelError`, which says which numbers there are."""
        index = revision_number(number)
        if index is None or index not in self._by_number:
            raise KernelError(f"{self.functions.name} has no revision {number!r}; there is {self._describe_numbers()}")
        return self._by_number[index]

    def _describe_numbers(self) -> str:
        numbers = list(self._by_number)
        if not numbers:
            return "none yet"
        is_whole = len(numbers) == numbers[-1] + 1
        return f"0 to {numbers[-1]}" if is_whole else " and ".join(map(str, numbers[-5:]))

    # -- registering --------------------------------------------------------------------------------------------

    def find(self, canonical: Canonical, profile: str) -> RevisionInfo | None:
        """Return the revision that has a canonical text and profile already; None where there is none."""
        with self.functions.lock:
            known = self._known.get((canonical.text, profile))
            return None if known is None else self._by_number[known]

    def register(self, build: Build, origin: str, number: int | None = None) -> RevisionInfo:
        """Add compiled code, not active and not loaded; an equal revision that exists is given back."""
        with self.functions.lock:
            known = self.find(build.canonical, build.profile)
            if known is not None:
                return known
            made = self._add(lambda free: RevisionInfo.of_build(build, free, origin), number)
            self._known[made.source, made.profile] = made.number
            return made

    def add_bodies(
        self, bodies: tuple[PythonBody | None, ...], source: str, origin: str, number: int | None = None
    ) -> RevisionInfo:
        """Add Python bodies, which Numba compiles when they are first called."""
        with self.functions.lock:
            return self._add(lambda free: RevisionInfo(free, source, "python", origin, bodies=bodies), number)

    def _add(self, make: Callable[[int], RevisionInfo], wanted: int | None) -> RevisionInfo:
        """Add a revision under a free number; a signal handler that registers one meanwhile does not lose it."""
        while True:
            made = make(self._free_number(wanted))
            if self._by_number.setdefault(made.number, made) is made:
                return made

    def _free_number(self, wanted: int | None) -> int:
        """Choose a number for a new revision: the wanted one, unless one as great is taken already; else the next."""
        following = next(reversed(self._by_number), -1) + 1
        return following if wanted is None else max(wanted, following)

    def clear(self) -> None:
        """Forget all revisions: a group declares one more function before it is used."""
        with self.functions.lock:
            self._by_number, self._known = {}, {}

    # -- pins ---------------------------------------------------------------------------------------------------

    def pin(self, info: RevisionInfo) -> Pin:
        """Return the token that keeps a revision's code loaded for as long as anybody has it."""
        with self.functions.lock:
            pin = self._pins.get(info.number)
            if pin is None or info.number < 0:
                pin = Pin()
                self._pins[info.number] = pin
            return pin

    def pinned_numbers(self) -> list[int]:
        """Return the numbers of the revisions that somebody has a handle of."""
        return sorted(number for number in list(self._pins) if number >= 0)

    @property
    def has_pins(self) -> bool:
        """Whether somebody has a handle of any revision or candidate."""
        return bool(self._pins)


def revision_number(value: Any) -> int | None:
    """Return a revision's number, which may be NumPy's; None for anything that is no number."""
    with contextlib.suppress(TypeError):
        return None if isinstance(value, bool) else operator.index(value)
    return None
