"""Groups in compiled code: snapshots, and their functions."""

import pytest
from numba import njit

from tests.dispatch.numba.kinds import Fields, group


@pytest.mark.usefixtures("loader")
def test_a_function_of_a_snapshot_comes_back_as_its_handle():
    """Also in containers."""

    @njit
    def pair(g):
        return g.snapshot().other, Fields(g.snapshot().member, g.snapshot().other, 1.0)

    alone, (first, second, _) = pair(group)
    assert alone is second is group.active["other"]
    assert first is group.active["member"]
