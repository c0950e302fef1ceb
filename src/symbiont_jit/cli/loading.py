"""What the command line finds in a user's file: kernels and inputs.

In: `FILE.py:KERNEL`. Out: the module, its kernel, its function `inputs`; `UsageError` says what is missing.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbiont_jit.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from symbiont_jit.kernel import Kernel

__all__ = ["find_inputs", "load_kernel"]


def load_kernel(target: str) -> tuple[ModuleType, Kernel]:
    """Import a file, and return its module with the kernel of a name in it; raise `UsageError` where there is none."""
    from symbiont_jit.dispatch.numba.from_numba import is_compiled
    from symbiont_jit.kernel import Kernel, evolvable

    path, colon, name = target.rpartition(":")
    if not colon or not name or not path.endswith(".py"):
        raise UsageError(f"{target!r} is not of the form FILE.py:KERNEL")
    module = _load_module(Path(path))
    found = getattr(module, name, None)
    if found is not None and is_compiled(found):
        found = evolvable(found)
    if not isinstance(found, Kernel):
        kernels = [n for n, v in vars(module).items() if isinstance(v, Kernel)]
        raise UsageError(f"{path} has no kernel {name!r}; it has: {', '.join(kernels) or 'none'}")
    return module, found


def _load_module(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # annotations that are text are looked up in `sys.modules`
    sys.path.insert(0, str(path.parent.resolve()))
    spec.loader.exec_module(module)
    return module


def find_inputs(module: ModuleType) -> Any:
    """Return a module's `inputs`; raise `UsageError` where it has none."""
    inputs = getattr(module, "inputs", None)
    if inputs is None:
        raise UsageError(
            f"{module.__file__} has no function 'inputs'; write one that takes a NumPy Generator and returns a tuple "
            "of arguments, for example: def inputs(rng): return rng.random(1000), rng.random(1000)"
        )
    return inputs
