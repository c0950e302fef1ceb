"""What users see of kernels, groups and handles: the exact public names, and nothing that only searches need."""

import pytest

from symbiont_jit import Group, Kernel, UsageError
from symbiont_jit.engine.target import target_of

EVOLVABLE = """
    active activate aevolve aevolve_batch c_prototype compile evolve evolve_batch evolve_stream flags inspect_asm
    inspect_llvm inspect_remarks interrupt memory numba_type profile prune revision revisions signatures source step_limit
    swap take_panic
""".split()

PINNED = """
    about inspect_asm inspect_llvm inspect_remarks language number object_code origin profile source written
""".split()

#: The public names of each class, as completion in a notebook shows them.
FACES = {
    "Kernel": {*EVOLVABLE, *"address ctypes freeze from_c group low_level_callable signature".split()},
    "Group": {*EVOLVABLE, *"evolvable kernels snapshot".split()},
    "Revision": {*PINNED, *"c_prototype entry_address numba_type signature take_panic".split()},
    "GroupRevision": {*PINNED},
    "Frozen": set("numba_type revision signature source".split()),
}

SOURCE = "int64_t up(int64_t x) { return x + 1; }"


def group_of_one():
    group = Group()

    @group.evolvable
    def up(x: int) -> int: ...

    group.swap(SOURCE)
    return group


@pytest.mark.parametrize("name", FACES)
def test_completion_shows_what_a_user_needs(name):
    """`dir()` without underscores is the list above: what searches and workers need is elsewhere."""
    kernel, group = Kernel.from_c(SOURCE), group_of_one()
    shown = (kernel, group, kernel.active, group.active, kernel.freeze())
    found = {type(value).__name__: {n for n in dir(value) if not n.startswith("_")} for value in shown}
    assert found[name] == FACES[name]


def test_a_target_is_of_a_kernel_or_a_group():
    """It hands the object over as it is, and finds the revisions of its handles."""
    kernel, group = Kernel.from_c(SOURCE), group_of_one()
    for owner in (kernel, group, *group):
        target = target_of(owner)
        assert target.owner is owner
        assert target.activate(target.active) is owner.active
    assert target_of(kernel).signature is kernel.signature
    assert [target_of(owner).signature for owner in (group, *group)] == [None, None]
    with pytest.raises(UsageError, match="kernel is made by @evolvable or is a Group, not 7"):
        target_of(7)
