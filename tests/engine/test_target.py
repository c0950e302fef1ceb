"""Targets: what the rest of the package has of a kernel or a group."""

import pytest

from symbiont_jit import Kernel, UsageError
from symbiont_jit.engine.target import target_of
from tests.kernel.faces import SOURCE, group_of_one


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
