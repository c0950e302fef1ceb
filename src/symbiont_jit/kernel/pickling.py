"""Kernels as bytes: the declaration, the first revision and the active one, for another process or a later one.

In: a kernel. Out: what `pickle` stores, and the kernel again. Object code is for one kind of processor: on another one
it is made again from the source.
"""

from __future__ import annotations

import contextlib
import importlib
import operator
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbiont_jit.backend.generated import receive_objects, ship_objects
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.backend.toolchain import describe_host
from symbiont_jit.dispatch.numba.bodies import body_from_bytes, body_to_bytes
from symbiont_jit.engine.builds import BOUND
from symbiont_jit.engine.revisions import Lineage, Version
from symbiont_jit.engine.stubs import python_call_unit
from symbiont_jit.errors import UsageError
from symbiont_jit.frontend import Canonical
from symbiont_jit.runtime.panics import TAKE
from symbiont_jit.runtime.threads import THREADS
from symbiont_jit.signature import Signature

if TYPE_CHECKING:
    from symbiont_jit.kernel.frozen import Frozen
    from symbiont_jit.kernel.group import Group, GroupRevision
    from symbiont_jit.kernel.kernel import Kernel
    from symbiont_jit.kernel.revision import Revision

__all__ = [
    "pickled_by_name",
    "pickled_frozen",
    "pickled_group",
    "pickled_group_revision",
    "pickled_kernel",
    "pickled_revision",
    "require_first",
]

Reduced = tuple[Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Stored:
    """One revision: text with object code for a host, or Python bodies."""

    source: str
    language: str
    origin: str
    profile: str
    number: int
    code: ObjectCode | None = None
    host: str = ""
    bodies: tuple[bytes | None, ...] = ()


@dataclass(frozen=True, slots=True)
class _State:
    """Functions that evolve together: their declarations, and revisions, of which the last is active.

    `support` is object code of the project's own that calls need, so that nothing has to be compiled there.
    """

    signatures: tuple[Signature, ...]
    profile: str
    flags: tuple[str, ...]
    revisions: tuple[_Stored, ...]
    support: dict[str, ObjectCode]


def pickled_kernel(kernel: Kernel) -> Reduced:
    """A kernel's declaration and active revision; a group's member is the group and its name."""
    if kernel.group is not None:
        return _member, (kernel.group, kernel.signature.name)
    names = {n: getattr(kernel, n, None) for n in ("__module__", "__qualname__")}
    return _kernel, (_state(kernel._lineage, kernel._lineage.active), names)


def pickled_group(group: Group) -> Reduced:
    """A group's declarations and active revision."""
    return _group, (_state(group._lineage, group._lineage.active),)


def pickled_revision(revision: Revision) -> Reduced:
    """A revision with the declaration of its kernel or group, in which it is the active one."""
    return _revision, (_state(revision._lineage, revision._of), revision._index)


def pickled_group_revision(revision: GroupRevision) -> Reduced:
    """A revision with the declarations of its group, in which it is the active one."""
    return _group_revision, (_state(revision._lineage, revision._of),)


def pickled_frozen(frozen: Frozen) -> Reduced:
    """The revision that is frozen."""
    return _frozen, (frozen._handle, frozen._index)


def pickled_by_name(kernel: Kernel, has_main: bool, is_group: bool = False) -> Reduced | None:
    """The kernel that a module has by this name (or its group), with the revision that is active here.

    So who has it from the module and who is given it have the same kernel in the other process, as they have here. None
    where no module has it.
    """
    module, name = kernel.__module__, getattr(kernel, "__qualname__", kernel.__name__)
    if module == "__main__" and not has_main:
        return None
    with contextlib.suppress(AttributeError, KeyError):
        if operator.attrgetter(name)(sys.modules[module]) is kernel:
            return _named, (module, name, is_group, *_since_declared(kernel._lineage))
    return None


def _since_declared(lineage: Lineage) -> tuple[str | None, tuple[_Stored, ...], bool]:
    """The text of the first revision; the C of the first and the active one; whether the active one is C."""
    first = lineage.first
    kept = dict.fromkeys(v for v in (first, lineage.active) if v is not None and v.object_code is not None)
    is_c = lineage.active is not None and lineage.active.object_code is not None
    return first.source if first else None, tuple(_stored(lineage, v) for v in kept), is_c


def require_first(lineage: Lineage) -> None:
    """Raise `pickle.PicklingError` unless a pickle of this has its first revision, which is the reference."""
    if lineage.first is not None:
        _stored(lineage, lineage.first)


def _state(lineage: Lineage, chosen: Version | None) -> _State:
    stored = [_stored(lineage, chosen)] if chosen is not None else []
    first = lineage.first
    if first is not None and first is not chosen:
        with contextlib.suppress(pickle.PicklingError):
            stored.insert(0, _stored(lineage, first))
    return _State(tuple(lineage.signatures), lineage.profile, lineage.flags, tuple(stored), _support(lineage, stored))


def _support(lineage: Lineage, stored: Sequence[_Stored]) -> dict[str, ObjectCode]:
    """What calls from Python need, and what guarded code and its panics do."""
    units = [python_call_unit(s, lineage.is_group) for s in lineage.signatures]
    if any(s.code is not None and not BOUND.isdisjoint(s.code.needs) for s in stored):
        units += [THREADS, TAKE]
    return ship_objects(units)


def _stored(lineage: Lineage, version: Version) -> _Stored:
    about = (version.source, version.language, version.origin, version.profile, version.number)
    if version.object_code is not None:
        return _Stored(*about, version.object_code, describe_host())
    try:
        return _Stored(*about, bodies=tuple(None if b is None else body_to_bytes(b) for b in lineage.compiled(version)))
    except Exception as error:
        names = ", ".join(repr(getattr(b, "__name__", b)) for b in version.bodies if b is not None)
        raise pickle.PicklingError(
            f"the Python body of {names} cannot be pickled ({error}); swap in a C body first"
        ) from error


def _restored(lineage: Lineage, stored: _Stored) -> Version:
    """Register what was stored."""
    if stored.code is None:
        bodies = tuple(None if b is None else body_from_bytes(b) for b in stored.bodies)
        number = lineage.free_number(stored.number)
        version = Version(number, stored.source, stored.language, stored.origin, bodies=bodies)
        lineage.versions[number] = version
        return version
    canonical = Canonical(stored.source, tuple(s.name for s in lineage.signatures))
    is_native = stored.host == describe_host()
    code = stored.code if is_native else lineage.builder.object_code(canonical, stored.profile)
    return lineage.register(canonical, code, stored.profile, stored.origin, stored.number)


def _filled(lineage: Lineage, state: _State) -> None:
    receive_objects(state.support)
    for stored in state.revisions:
        lineage.active = _restored(lineage, stored)


def _named(
    module: str, name: str, is_group: bool, beginning: str | None, stored: tuple[_Stored, ...], is_c: bool
) -> Kernel | Group:
    kernel: Kernel = operator.attrgetter(name)(importlib.import_module(module))
    lineage = kernel._lineage
    restored = [_restored(lineage, s) for s in stored]
    if beginning is not None:
        if lineage.first is None or lineage.first.source != beginning:
            raise UsageError(f"{name!r} of {module} has changed since this process imported it; start again")
        lineage.activate(restored[-1] if is_c else lineage.first)
    return kernel.group if is_group and kernel.group is not None else kernel


def _kernel(state: _State, names: dict[str, Any] | None = None) -> Kernel:
    from symbiont_jit.kernel.kernel import Kernel

    kernel = Kernel(state.signatures[0], profile=state.profile, flags=state.flags)
    for name, value in (names or {}).items():
        with contextlib.suppress(AttributeError):
            setattr(kernel, name, value)
    _filled(kernel._lineage, state)
    return kernel


def _group(state: _State) -> Group:
    from symbiont_jit.kernel.group import Group

    group = Group(state.profile, state.flags)
    for signature in state.signatures:
        group.declare(signature)
    _filled(group._lineage, state)
    return group


def _member(group: Group, name: str) -> Kernel:
    return group[name]


def _revision(state: _State, index: int) -> Revision:
    is_alone = len(state.signatures) == 1
    revision = _kernel(state).active if is_alone else list(_group(state))[index].active
    assert revision is not None, "what was pickled was a revision"
    return revision


def _group_revision(state: _State) -> GroupRevision:
    revision = _group(state).active
    assert revision is not None, "what was pickled was a revision"
    return revision


def _frozen(revision: Revision, index: int) -> Frozen:
    from symbiont_jit.kernel.frozen import Frozen

    return Frozen(revision, revision._lineage, index)
