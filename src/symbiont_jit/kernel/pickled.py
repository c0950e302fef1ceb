"""Kernels as bytes: the declaration and the active revision, for another process or a later one.

In: a kernel. Out: what `pickle` stores, and the kernel again. Object code is for one kind of processor: on another one
it is made again from the source.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbiont_jit.backend.clang import describe_host
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.dispatch.python_body import body_from_bytes, body_to_bytes
from symbiont_jit.frontend import Canonical
from symbiont_jit.kernel.lineage import Lineage, Version
from symbiont_jit.signature import Signature

if TYPE_CHECKING:
    from symbiont_jit.kernel.frozen import Frozen
    from symbiont_jit.kernel.group import Group
    from symbiont_jit.kernel.kernel import Kernel
    from symbiont_jit.kernel.revision import Revision

__all__ = ["pickled_frozen", "pickled_group", "pickled_kernel", "pickled_revision"]

Reduced = tuple[Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _State:
    """Functions that evolve together: their declarations, Python bodies, and one revision as text and object code."""

    signatures: tuple[Signature, ...]
    profile: str
    flags: tuple[str, ...]
    bodies: tuple[bytes | None, ...] = ()
    body_source: str = ""
    source: str | None = None
    origin: str = ""
    code: ObjectCode | None = None
    host: str = ""


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


def pickled_frozen(frozen: Frozen) -> Reduced:
    """The revision that is frozen."""
    return _frozen, (frozen._handle, frozen._index)


def _state(lineage: Lineage, chosen: Version | None) -> _State:
    bodies: tuple[bytes | None, ...] = ()
    first = lineage.versions[0] if lineage.versions else None
    if first is not None and first.language == "python":
        try:
            bodies = tuple(None if b is None else body_to_bytes(b) for b in first.bodies)
        except Exception as error:
            if chosen is first:
                raise pickle.PicklingError(
                    f"the Python body of {lineage.name} cannot be pickled ({error}); swap in a C body first"
                ) from error
    state = _State(
        tuple(lineage.signatures), lineage.profile, lineage.flags, bodies, first.source if first and bodies else ""
    )
    if chosen is None or chosen.object_code is None:
        return state
    return _State(
        *(state.signatures, state.profile, state.flags, state.bodies, state.body_source),
        *(chosen.source, chosen.origin, chosen.object_code, describe_host()),
    )


def _filled(lineage: Lineage, state: _State) -> None:
    """Register what was stored; the stored revision is active."""
    if state.bodies:
        bodies = tuple(None if b is None else body_from_bytes(b) for b in state.bodies)
        lineage.versions.append(Version(0, state.body_source, "python", "declared body", bodies=bodies))
        lineage.active = lineage.versions[0]
    if state.source is None or state.code is None:
        return
    canonical = Canonical(state.source, tuple(s.name for s in state.signatures))
    is_native = state.host == describe_host()
    code = state.code if is_native else lineage.object_code(canonical, state.profile)
    lineage.active = lineage.register(canonical, code, state.profile, state.origin)


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


def _frozen(revision: Revision, index: int) -> Frozen:
    from symbiont_jit.kernel.frozen import Frozen

    return Frozen(revision, revision._lineage, index)
