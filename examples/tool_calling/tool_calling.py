"""An agent that probes a black box with tools before it writes the function.

Run it: python examples/tool_calling/tool_calling.py
"""

import sys
from pathlib import Path
from typing import Annotated

import symbiont_jit as sj

sys.path.insert(0, str(Path(__file__).parent.parent))
from model import model

PROBES = []


def probe(x: Annotated[int, "Any integer from -1000 to 1000."]) -> int:
    """Ask the black box for its answer to x."""
    PROBES.append(x)
    return 3 * x * x - 7 * x + 11


PROMPT = """A black box computes an integer from an integer. Probe it with the tool `probe` until you know what it
computes, then write the function."""

SCRIPT = [
    # A script calls no tools: it writes what the probes at 0, 1 and 2 would tell.
    "f(0) = 11, f(1) = 7, f(2) = 9\n```c\nint64_t box(int64_t x) { return 3 * x * x - 7 * x + 11; }\n```",
]


@sj.evolvable
def box(x: int) -> int: ...


def main():
    """Evolve a copy of the black box; gives whether both agree."""
    agent, label = model(SCRIPT, tools=[probe])
    print(label)
    result = box.evolve(agent, PROMPT)
    print(f"{len(PROBES)} probes by the model, {result.attempts} attempt(s)")
    print(box.source)
    return all(box(x) == probe(x) for x in range(-50, 50))


if __name__ == "__main__":
    print("agrees:", main())
