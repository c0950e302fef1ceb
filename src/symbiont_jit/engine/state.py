"""An engine as records that pickle: for another process, or for a later one.

In: an engine. Out: records with the declaration, the first revision and the active one, and the same in another engine
again. Object code is for one kind of processor: on another one it is made again from the source.
"""

from __future__ import annotations

import contextlib
import pickle
from dataclasses import dataclass

from symbiont_jit.backend.generated import receive_objects, ship_objects
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.backend.toolchain import describe_host
from symbiont_jit.dispatch.numba.bodies import body_from_bytes, body_to_bytes
from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.engine import Engine
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.engine.stubs import vectorcall_unit
from symbiont_jit.frontend import Canonical
from symbiont_jit.frontend.source_map import NO_MAP
from symbiont_jit.runtime.library import runtime_unit
from symbiont_jit.signature import Signature

__all__ = [
    "EngineChanges",
    "EngineState",
    "StoredRevision",
    "export_changes",
    "export_state",
    "import_changes",
    "import_state",
    "require_first",
]


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """One revision: a build for a host, or Python bodies with their `source`."""

    origin: str
    number: int
    source: str = ""
    build: Build | None = None
    host: str = ""
    bodies: tuple[bytes | None, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineState:
    """Functions that evolve together: their declarations, and revisions, of which the last is active.

    `support` is object code of the project's own that calls need, so that nothing has to be compiled there.
    """

    signatures: tuple[Signature, ...]
    profile: str
    flags: tuple[str, ...]
    on_panic: str
    revisions: tuple[StoredRevision, ...]
    support: dict[str, ObjectCode]


@dataclass(frozen=True, slots=True)
class EngineChanges:
    """The changes to functions that the other process declares by itself.

    `beginning` is the text of the first revision; `revisions` are the C of the first one and the active one; `is_c`
    says that the last of them is active, and not the declared body.
    """

    beginning: str | None
    revisions: tuple[StoredRevision, ...]
    is_c: bool


# -- out ---------------------------------------------------------------------------------------------------------------


def export_state(engine: Engine, chosen: RevisionInfo | None) -> EngineState:
    """Return the declaration, and a revision that is to be the active one.

    The first revision, which is the reference, comes along where it can be pickled.
    """
    stored = [_store(engine, chosen)] if chosen is not None else []
    first = engine.revisions.first
    if first is not None and first is not chosen:
        with contextlib.suppress(pickle.PicklingError):
            stored.insert(0, _store(engine, first))
    signatures = tuple(engine.functions.signatures)
    options = engine.profile, engine.flags, str(engine.on_panic)
    return EngineState(signatures, *options, tuple(stored), _support(engine))


def export_changes(engine: Engine) -> EngineChanges:
    """Return what another process has to do to have the same revision active, once it has declared the functions."""
    first, active = engine.revisions.first, engine.active
    kept = dict.fromkeys(info for info in (first, active) if info is not None and info.object_code is not None)
    is_c = active is not None and active.object_code is not None
    return EngineChanges(first.source if first else None, tuple(_store(engine, info) for info in kept), is_c)


def require_first(engine: Engine) -> None:
    """Raise `pickle.PicklingError` unless the first revision, which is the reference, can be pickled."""
    if engine.revisions.first is not None:
        _store(engine, engine.revisions.first)


def _support(engine: Engine) -> dict[str, ObjectCode]:
    """Return object code for calls from Python, and for their panics."""
    functions = engine.functions
    units = [vectorcall_unit(s, functions.is_group) for s in functions.signatures]
    return ship_objects([*units, runtime_unit()])


def _store(engine: Engine, info: RevisionInfo) -> StoredRevision:
    if info.object_code is not None:
        names = tuple(s.name for s in engine.functions.signatures)
        canonical = Canonical(info.source, names, info.author_text, NO_MAP)  # The text is never compiled as it is.
        build = Build(canonical, info.profile, info.object_code, info.sites)
        return StoredRevision(info.origin, info.number, build=build, host=describe_host())
    try:
        bodies = tuple(map(_body_to_bytes, engine.loader.link(info)))
    except Exception as error:
        listed = ", ".join(repr(getattr(b, "__name__", b)) for b in info.bodies if b is not None)
        raise pickle.PicklingError(
            f"the Python body of {listed} cannot be pickled ({error}); swap in a C body first"
        ) from error
    return StoredRevision(info.origin, info.number, info.source, bodies=bodies)


def _body_to_bytes(body: object) -> bytes | None:
    return None if body is None else body_to_bytes(body)


# -- in ----------------------------------------------------------------------------------------------------------------


def import_state(engine: Engine, state: EngineState) -> None:
    """Register what was exported with an engine that has the same functions and no revisions."""
    receive_objects(state.support)
    for stored in state.revisions:
        engine.activation.begin_with(_restore(engine, stored))


def import_changes(engine: Engine, changes: EngineChanges) -> bool:
    """Activate what is active there; False where the functions were declared with another first revision."""
    restored = [_restore(engine, stored) for stored in changes.revisions]
    if changes.beginning is None:
        return True
    first = engine.revisions.first
    if first is None or first.source != changes.beginning:
        return False
    engine.activation.activate(restored[-1] if changes.is_c else first)
    return True


def _restore(engine: Engine, stored: StoredRevision) -> RevisionInfo:
    """Register one stored revision."""
    if stored.build is None:
        bodies = tuple(None if b is None else body_from_bytes(b) for b in stored.bodies)
        return engine.revisions.add_bodies(bodies, stored.source, stored.origin, stored.number)
    build = stored.build
    if stored.host != describe_host():
        build = engine.build(engine.builder.canonical(build.canonical.author_text), build.profile)
    return engine.revisions.register(build, stored.origin, stored.number)
