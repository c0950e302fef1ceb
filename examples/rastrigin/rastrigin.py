"""Symbolic regression: a model finds the formula behind samples of the Rastrigin function, to an error below 1e-10.

Run it: python examples/rastrigin/rastrigin.py
"""

import sys
from pathlib import Path

import numpy as np

import symbiont_jit as sj
from symbiont_jit import Array

sys.path.insert(0, str(Path(__file__).parent.parent))
from model import model

GOAL = 1e-10

RNG = np.random.default_rng(7)
POINTS = RNG.uniform(-5.12, 5.12, (400, 2))
VALUES = 20 + (POINTS**2 - 10 * np.cos(2 * np.pi * POINTS)).sum(axis=1)

PROMPT = f"""Find the closed formula y(x) behind these samples (x has two elements):

{chr(10).join(f"y({x[0]:.6f}, {x[1]:.6f}) = {y:.9f}" for x, y in zip(POINTS[:40], VALUES[:40], strict=True))}

It is a classic test function of optimisation, even in each element. Write it out in C."""


def reply(expression):
    """Write an answer for the script."""
    return (
        "```c\ndouble formula(int64_t n, const double x[n])\n{\n  double s = 0;\n"
        f"  for (int64_t i = 0; i < n; i++) s += {expression};\n  return s;\n}}\n```"
    )


SCRIPT = [
    reply("x[i] * x[i]"),
    reply("x[i] * x[i] + 10 * (1 - cos(M_PI * x[i]))"),
    reply("x[i] * x[i] + 10 * (1 - cos(2 * M_PI * x[i]))"),
]


@sj.evolvable
def formula(x: Array[float, "n"]) -> float: ...


def error(kernel):
    """Compute the mean squared error over all samples."""
    return float(np.mean([(kernel(x) - y) ** 2 for x, y in zip(POINTS, VALUES, strict=True)]))


def main():
    """Ask until the error is small enough; gives the error."""
    agent, label = model(SCRIPT)
    print(label)
    with sj.Evolution(formula, metric=error, direction="minimize") as search:

        def check(source):
            evaluation = search.evaluate(source)
            if evaluation.score is None:
                return evaluation
            print(f"mean squared error {evaluation.score:.3g}")
            return (
                None if evaluation.score < GOAL else f"the mean squared error is {evaluation.score:.6g}, not < {GOAL}"
            )

        formula.evolve(agent, PROMPT, check=check)
    print(formula.source)
    return error(formula)


if __name__ == "__main__":
    main()
