"""The face: the objects that users have. What kernels, groups and revisions do is done by `engine` and `llm`."""

from symbiont_jit.dispatch.numba.panic_count import panics  # Numba has to know `panics` before it compiles a caller.
from symbiont_jit.engine.engine import Memory
from symbiont_jit.kernel import pickling as pickling  # Importing it registers how these objects are pickled.
from symbiont_jit.kernel.decorator import evolvable
from symbiont_jit.kernel.evolvable import Evolvable
from symbiont_jit.kernel.frozen import Frozen
from symbiont_jit.kernel.group import Group, GroupRevision
from symbiont_jit.kernel.kernel import Kernel
from symbiont_jit.kernel.revision import Revision
from symbiont_jit.runtime.panics import Panic

__all__ = [
    "Evolvable",
    "Frozen",
    "Group",
    "GroupRevision",
    "Kernel",
    "Memory",
    "Panic",
    "Revision",
    "evolvable",
    "panics",
]
