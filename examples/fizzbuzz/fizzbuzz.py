"""FizzBuzz by a model, with a test suite as the metric: what fails goes back until all tests pass.

Run it: python examples/fizzbuzz/fizzbuzz.py
"""

import sys
from pathlib import Path

import symbiont_jit as sj

sys.path.insert(0, str(Path(__file__).parent.parent))
from model import model

CASES = {1: 1, 2: 2, 3: -3, 5: -5, 6: -3, 9: -3, 10: -5, 15: -15, 30: -15, 31: 31}

PROMPT = """Return n itself, but -3 for multiples of 3, -5 for multiples of 5, and -15 for multiples of both."""


def reply(*lines):
    """Write an answer for the script."""
    return "\n".join(["```c", "int64_t fizzbuzz(int64_t n)", "{", *(f"  {line}" for line in lines), "}", "```"])


THREE, FIVE = "if (n % 3 == 0) return -3;", "if (n % 5 == 0) return -5;"
SCRIPT = [
    reply(THREE, FIVE, "return m;"),
    reply(THREE, FIVE, "return n;"),
    reply("if (n % 15 == 0) return -15;", THREE, FIVE, "return n;"),
]


@sj.evolvable
def fizzbuzz(n: int) -> int: ...


def run_tests(kernel):
    """Score a kernel by its tests: 1.0 where all pass; the first that fails says what is wrong."""
    for n, expected in CASES.items():
        got = kernel(n)
        assert got == expected, f"fizzbuzz({n}) is {got}, expected {expected}"
    return 1.0


def main():
    """Evolve until the tests pass; gives the number of attempts."""
    agent, label = model(SCRIPT)
    print(label)
    with sj.Evolution(fizzbuzz, metric=run_tests) as tests:  # A worker runs what nobody has run before.
        result = fizzbuzz.evolve(agent, PROMPT, check=tests.evaluate)
    print(result.trace)
    print(", ".join(str(fizzbuzz(n)) for n in range(1, 16)))
    return result.attempts


if __name__ == "__main__":
    main()
