"""A revision that Numba links into its callers: what it is made of, and which one it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from symbiont_jit.backend.objects import bitcode_of
from symbiont_jit.dispatch.numba.frozen import FrozenCode, frozen_python_type, frozen_type
from symbiont_jit.dispatch.numba.typed import Typed
from symbiont_jit.kernel.revision import Revision
from symbiont_jit.signature import native_entry

if TYPE_CHECKING:
    from symbiont_jit.engine.revisions import Lineage, Version

__all__ = ["Frozen"]


class Frozen(Typed):
    """One revision for compiled callers alone: as a global or an argument its body is inlined there.

    `revision` is its number. From Python it is called like the revision, whose code it keeps, with that one's checks;
    what Numba links has none.
    """

    def __init__(self, handle: Revision, lineage: Lineage, index: int) -> None:
        self._handle = handle
        self._lineage = lineage
        self._index = index
        self.signature = handle.signature

    @property
    def revision(self) -> int:
        """The number of the revision."""
        return self._handle.number

    @property
    def source(self) -> str:
        """Canonical C, or the Python body."""
        return self._handle.source

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the revision from Python."""
        return self._handle(*args, **kwargs)

    @functools.cached_property
    def numba_type(self) -> Any:
        """The type in compiled code: one of its own, or the Python body's."""
        if self._handle.language == "python":
            body = self._lineage.compiled(self._handle._of)[self._index]
            return frozen_python_type(self.signature, body, self._maker)
        return frozen_type(self.signature, self._code, self._maker)

    @property
    def _maker(self) -> Callable[[], Frozen]:
        """What makes an equal object, without the handle that would keep the code loaded."""
        return functools.partial(_made, self._lineage, self._handle._of, self._index)

    @functools.cached_property
    def _code(self) -> FrozenCode:
        """The revision's bitcode with one entry of a name of its own; everything else in it is internal."""
        unit = self._lineage.builder.release_unit(self.source)
        entry = native_entry(self.signature)
        name = f"sj_frozen_{unit.digest()[:20]}_{entry.symbol}"
        exported = {*unit.entries, *(s.name for s in self._lineage.signatures)}
        return FrozenCode(name, entry.symbol, tuple(sorted(exported)), bitcode_of(unit))

    @property
    def __signature__(self) -> inspect.Signature:
        """For `help` and `inspect`."""
        return self._handle.__signature__

    def __repr__(self) -> str:
        return f"<Frozen revision {self.revision} of {self.signature.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from symbiont_jit.kernel.pickling import pickled_frozen

        return pickled_frozen(self)


def _made(lineage: Lineage, version: Version, index: int) -> Frozen:
    return Frozen(Revision(lineage, version, index), lineage, index)
