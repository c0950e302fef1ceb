"""What users see of kernels, groups and handles: the exact public names."""

import pytest

from symbiont_jit import Kernel
from tests.kernel.faces import SOURCE, group_of_one

EVOLVABLE = """
    active activate aevolve aevolve_batch c_prototype compile evolve evolve_batch evolve_stream flags inspect_asm
    inspect_llvm inspect_remarks interrupt memory numba_type profile prune revision revisions signatures source step_limit
    swap take_panic
""".split()
PINNED = """
    about inspect_asm inspect_llvm inspect_remarks language number object_code origin profile source author_text
""".split()
#: The public names of each class, as completion in a notebook shows them.
FACES = {
    "Kernel": {*EVOLVABLE, *"address ctypes freeze from_c group low_level_callable signature".split()},
    "Group": {*EVOLVABLE, *"evolvable kernels snapshot".split()},
    "Revision": {*PINNED, *"c_prototype entry_address numba_type signature take_panic".split()},
    "GroupRevision": {*PINNED},
    "Frozen": set("numba_type revision signature source".split()),
}


@pytest.mark.parametrize("name", FACES)
def test_completion_shows_what_a_user_needs(name):
    """`dir()` without underscores is the list above: what searches and workers need is elsewhere."""
    kernel, group = Kernel.from_c(SOURCE), group_of_one()
    shown = (kernel, group, kernel.active, group.active, kernel.freeze())
    found = {type(value).__name__: {n for n in dir(value) if not n.startswith("_")} for value in shown}
    assert found[name] == FACES[name]
