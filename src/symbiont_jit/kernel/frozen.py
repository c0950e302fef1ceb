"""A revision that Numba links into its callers: the object that users have, and its type in compiled code."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from symbiont_jit.dispatch.numba.frozen import FrozenCode, frozen_python_type, frozen_type
from symbiont_jit.dispatch.numba.types import NumbaValue
from symbiont_jit.engine.engine import RevisionPart
from symbiont_jit.engine.freezing import freeze_code, link_body
from symbiont_jit.kernel.revision import Revision, part_of
from symbiont_jit.lazy import lazy

__all__ = ["Frozen", "handle_of"]


class Frozen(NumbaValue):
    """One revision that Numba links into compiled callers and inlines; `kernel.freeze()` makes it.

    A call from Python goes to the revision, with the checks of its profile. The code that Numba links has no checks.

    Args:
        handle: The revision, whose code stays loaded for as long as this object lives.

    Example:
        >>> fast = kernel.freeze()
        >>> hot_loop(fast, x, y, 1000)
    """

    def __init__(self, handle: Revision) -> None:
        self._handle = handle
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

    @lazy
    def numba_type(self) -> Any:
        """Return the type in compiled code: one of its own, or the Python body's."""
        if self._handle.language == "python":
            return frozen_python_type(self.signature, link_body(part_of(self._handle)), self._maker)
        return frozen_type(self.signature, self._code, self._maker)

    @property
    def _maker(self) -> Callable[[], Frozen]:
        """A function that makes an equal object, without the handle that would keep the code loaded."""
        return functools.partial(_make_frozen, part_of(self._handle))

    @lazy
    def _code(self) -> FrozenCode:
        return freeze_code(part_of(self._handle))

    @property
    def __signature__(self) -> inspect.Signature:
        """The signature that `help` and `inspect` show."""
        return self._handle.__signature__

    def __repr__(self) -> str:
        return f"<Frozen revision {self.revision} of {self.signature.name}>"


def _make_frozen(part: RevisionPart) -> Frozen:
    return Frozen(Revision(part))


def handle_of(frozen: Frozen) -> Revision:
    """Return the handle of the revision that is frozen, for the rest of this package."""
    return frozen._handle
