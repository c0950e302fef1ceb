"""A counter whose step evolves while it counts, offline.

The program counts in one compiled loop and never stops. Meanwhile a search looks for a step that takes the counter from
0 to exactly 1000 in seven steps; each better step is swapped in, and the loop counts on with it.

Run it: python examples/counter/counter.py
"""

import threading
import time

import numpy as np
from numba import njit

import symbiont_jit as sj

TARGET = 1000
STEPS = 7


@sj.evolvable(source="int64_t step(int64_t counter) { return counter + 1; }")
def step(counter: int) -> int:
    """Give the next value of the counter."""


@njit(nogil=True)
def count(kernel, ticks, history):
    """Count from 0, again and again, and remember how far each round came."""
    for tick in range(ticks):
        counter = 0
        for _ in range(STEPS):
            counter = kernel(counter)
        history[tick % len(history)] = counter


@njit
def run_steps(kernel):
    """Take all steps from 0; gives where the counter is then."""
    counter = 0
    for _ in range(STEPS):
        counter = kernel(counter)
    return counter


def distance(kernel):
    """Score a step by how far from the target the counter ends; smaller is better."""
    return abs(run_steps(kernel) - TARGET)


def main(candidates=400, seed=0):
    """Evolve the step under the running loop; gives the distance that is left."""
    history = np.zeros(1 << 20, dtype=np.int64)
    counting = threading.Thread(target=count, args=(step, 1 << 28, history), daemon=True)
    counting.start()
    search = sj.Evolution(step, metric=distance, proposer=sj.Mutator(), direction="minimize", seed=seed)

    def show(progress):
        if progress.revision is not None:
            time.sleep(0.05)  # The loop goes round the history thousands of times meanwhile.
            print(f"candidate {progress.evaluated:4d}: the running loop now ends at {history[0]}")

    print(f"the running loop ends at {run_steps(step)}, and is to end at {TARGET}")
    result = search.run(candidates=candidates, target=0, on_progress=show)
    print(f"\n{result.best.source}")
    return result.best.score


if __name__ == "__main__":
    main()
