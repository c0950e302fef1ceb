"""Kernels as bytes: the declaration, the first revision and the active one, for another process or a later one.

In: a kernel, group, handle or frozen revision. Out: what `pickle` stores, and an equal object again. The objects do not
know this module: it registers itself with `copyreg`, and with the engine for pickles that a fresh interpreter reads.
"""

from __future__ import annotations

import contextlib
import copyreg
import importlib
import operator
import sys
from typing import Any

from symbiont_jit.engine.state import (
    EngineChanges,
    EngineState,
    export_changes,
    export_state,
    import_changes,
    import_state,
    require_first,
)
from symbiont_jit.engine.target import Reduced, register_spawn_reducer, target_of
from symbiont_jit.errors import UsageError
from symbiont_jit.kernel.frozen import Frozen, handle_of
from symbiont_jit.kernel.group import Group, GroupRevision, declare_function, revision_of
from symbiont_jit.kernel.kernel import Kernel
from symbiont_jit.kernel.revision import Revision, part_of

__all__: list[str] = []


# -- out ---------------------------------------------------------------------------------------------------------------


def _reduce_kernel(kernel: Kernel) -> Reduced:
    """Reduce a kernel to its declaration and active revision, and a group's member to the group and the name."""
    if kernel.group is not None:
        return _get_member, (kernel.group, kernel.signature.name)
    engine = target_of(kernel).engine
    names = {n: getattr(kernel, n, None) for n in ("__module__", "__qualname__")}
    return _make_kernel, (export_state(engine, engine.active), names)


def _reduce_group(group: Group) -> Reduced:
    """Reduce a group to its declarations and active revision."""
    engine = target_of(group).engine
    return _make_group, (export_state(engine, engine.active),)


def _reduce_revision(revision: Revision) -> Reduced:
    """Reduce a revision to itself and the declaration of its kernel or group, in which it is the active one."""
    part = part_of(revision)
    return _make_revision, (export_state(part.engine, part.info), part.index)


def _reduce_group_revision(revision: GroupRevision) -> Reduced:
    """Reduce a revision to itself and the declarations of its group, in which it is the active one."""
    return _make_group_revision, (export_state(*revision_of(revision)),)


def _reduce_frozen(frozen: Frozen) -> Reduced:
    """Reduce a frozen revision to the handle of the revision that is frozen."""
    return Frozen, (handle_of(frozen),)


def _spawn_kernel(kernel: Kernel, has_main: bool) -> Reduced:
    """Reduce a kernel for a fresh interpreter: to a module's name for it, else never without its first revision."""
    by_name = _reduce_by_name(kernel, has_main)
    if by_name is None:
        require_first(target_of(kernel).engine)
    return by_name or _reduce_kernel(kernel)


def _spawn_group(group: Group, has_main: bool) -> Reduced:
    """Reduce a group for a fresh interpreter: to a member's name, else never without its first revision."""
    named = (_reduce_by_name(kernel, has_main, is_group=True) for kernel in group.kernels)
    by_name = next((reduced for reduced in named if reduced is not None), None)
    if by_name is None:
        require_first(target_of(group).engine)
    return by_name or _reduce_group(group)


def _reduce_by_name(kernel: Kernel, has_main: bool, is_group: bool = False) -> Reduced | None:
    """Reduce a kernel to the name that a module has for it (or its group), with the revision that is active here.

    Code that takes the kernel from its module and code that unpickles it then have the same object in the other process
    too. The result is None where no module has the kernel.
    """
    module, name = kernel.__module__, getattr(kernel, "__qualname__", kernel.__name__)
    if module == "__main__" and not has_main:
        return None
    with contextlib.suppress(AttributeError, KeyError):
        if operator.attrgetter(name)(sys.modules[module]) is kernel:
            return _find_named, (module, name, is_group, export_changes(target_of(kernel).engine))
    return None


# -- in ----------------------------------------------------------------------------------------------------------------


def _find_named(module: str, name: str, is_group: bool, changes: EngineChanges) -> Any:
    kernel: Kernel = operator.attrgetter(name)(importlib.import_module(module))
    if not import_changes(target_of(kernel).engine, changes):
        raise UsageError(f"{name!r} of {module} has changed since this process imported it; start again")
    return kernel.group if is_group and kernel.group is not None else kernel


def _make_kernel(state: EngineState, names: dict[str, Any] | None = None) -> Kernel:
    kernel = Kernel(state.signatures[0], profile=state.profile, flags=state.flags, on_panic=state.on_panic)
    for name, value in (names or {}).items():
        with contextlib.suppress(AttributeError):
            setattr(kernel, name, value)
    import_state(target_of(kernel).engine, state)
    return kernel


def _make_group(state: EngineState) -> Group:
    group = Group(state.profile, state.flags, state.on_panic)
    for signature in state.signatures:
        declare_function(group, signature)
    import_state(target_of(group).engine, state)
    return group


def _get_member(group: Group, name: str) -> Kernel:
    return group[name]


def _make_revision(state: EngineState, index: int) -> Revision:
    is_alone = len(state.signatures) == 1
    revision = _make_kernel(state).active if is_alone else _make_group(state).kernels[index].active
    assert revision is not None, "what was pickled was a revision"
    return revision


def _make_group_revision(state: EngineState) -> GroupRevision:
    revision = _make_group(state).active
    assert revision is not None, "what was pickled was a revision"
    return revision


copyreg.pickle(Kernel, _reduce_kernel)
copyreg.pickle(Group, _reduce_group)
copyreg.pickle(Revision, _reduce_revision)
copyreg.pickle(GroupRevision, _reduce_group_revision)
copyreg.pickle(Frozen, _reduce_frozen)
register_spawn_reducer(Kernel, _spawn_kernel)
register_spawn_reducer(Group, _spawn_group)
