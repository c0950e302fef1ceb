"""What the numbers of panics mean, as a few bytes: a build keeps them, so that nothing is instrumented twice."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import astuple

from symbiont_jit.runtime.panics import Site

__all__ = ["pack_sites", "unpack_sites"]

#: Control characters, which no C text has outside of comments.
_FIELD, _SITE = "\x1f", "\x1e"


def pack_sites(sites: Sequence[Site]) -> bytes:
    """Sites as bytes; none are no bytes."""
    if not sites:
        return b""
    return zlib.compress(_SITE.join(_FIELD.join(map(str, astuple(site))) for site in sites).encode())


def unpack_sites(packed: bytes) -> tuple[Site, ...]:
    """The sites that were packed."""
    if not packed:
        return ()
    rows = (row.split(_FIELD) for row in zlib.decompress(packed).decode().split(_SITE))
    return tuple(Site(kind, int(line), int(column), what, limit) for kind, line, column, what, limit in rows)
