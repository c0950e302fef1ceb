"""Searches whose last word is brief, for tests that ask what it says and not how sure it is.

`python tests/briefly.py PROGRAM WORD...` runs a file, or a module of that name, in which they are.
"""

import runpy
import sys
from pathlib import Path

__all__ = ["brief_settings"]


def brief_settings():
    """What is replaced: a module, a name, and a value."""
    from symbiont_jit.evaluate import confirm, unseen
    from symbiont_jit.evaluate.checker import Effort
    from symbiont_jit.search import ending

    return (
        (confirm, "SECONDS", 0.15),
        (confirm, "LAST_CHECKS", Effort(3, 500, 0.03)),
        (unseen, "SECONDS", 0.1),
        (ending, "LEAST_REDUCTION", 0.3),
    )


class Shortening:
    """Makes searches brief when the first of them is imported; until then nothing is, as without it."""

    def find_spec(self, name, path=None, target=None):
        """Find nothing, as others will."""
        if name == "symbiont_jit.search.evolution":
            sys.meta_path.remove(self)
            for setting in brief_settings():
                setattr(*setting)


def main():
    """Run the program of the command line as if it had been started itself."""
    sys.meta_path.insert(0, Shortening())
    del sys.argv[0]
    program = Path(sys.argv[0])
    if program.suffix == ".py":
        sys.path[0] = str(program.parent)
        runpy.run_path(str(program), run_name="__main__")
    else:
        sys.path[0] = ""
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
