"""Eight strategies for counting primes at the same time; the fastest right one is activated.

Run it: python examples/batched/batched.py
"""

import sys
from pathlib import Path

import symbiont_jit as sj

sys.path.insert(0, str(Path(__file__).parent.parent))
from model import model

STRATEGIES = {
    "trial division": "  int64_t c = 0;\n  for (int64_t i = 2; i < n; i++) {\n    int p = 1;\n"
    "    for (int64_t j = 2; j < i; j++) if (i % j == 0) { p = 0; break; }\n    c += p;\n  }\n  return c;",
    "trial division up to the square root": "  int64_t c = 0;\n  for (int64_t i = 2; i < n; i++) {\n    int p = 1;\n"
    "    for (int64_t j = 2; j * j <= i; j++) if (i % j == 0) { p = 0; break; }\n    c += p;\n  }\n  return c;",
    "odd divisors only": "  int64_t c = n > 2;\n  for (int64_t i = 3; i < n; i += 2) {\n    int p = 1;\n"
    "    for (int64_t j = 3; j * j <= i; j += 2) if (i % j == 0) { p = 0; break; }\n    c += p;\n  }\n  return c;",
    "divisors of the form 6k +- 1": "  int64_t c = (n > 2) + (n > 3);\n  for (int64_t i = 5; i < n; i += 2) {\n"
    "    int p = i % 3 != 0;\n    for (int64_t j = 5; p && j * j <= i; j += 6) p = i % j && i % (j + 2);\n"
    "    c += p;\n  }\n  return c;",
    "a sieve of bytes": "  if (n < 2) return 0;\n  uint8_t *s = calloc(n, 1);\n  int64_t c = 0;\n"
    "  for (int64_t i = 2; i < n; i++) {\n    if (s[i]) continue;\n    c++;\n"
    "    for (int64_t j = i * i; j < n; j += i) s[j] = 1;\n  }\n  free(s);\n  return c;",
    "a sieve of odd numbers": "  if (n < 3) return 0;\n  int64_t m = n / 2, c = 1;\n  uint8_t *s = calloc(m, 1);\n"
    "  for (int64_t i = 1; i < m; i++) {\n    if (s[i]) continue;\n    c++;\n"
    "    for (int64_t j = 2 * i * (i + 1); j < m; j += 2 * i + 1) s[j] = 1;\n  }\n  free(s);\n  return c;",
    "a sieve of bits": "  if (n < 2) return 0;\n  uint64_t *s = calloc(n / 64 + 1, 8);\n  int64_t c = 0;\n"
    "  for (int64_t i = 2; i < n; i++) {\n    if (s[i / 64] >> (i % 64) & 1) continue;\n    c++;\n"
    "    for (int64_t j = i * i; j < n; j += i) s[j / 64] |= 1ULL << (j % 64);\n  }\n  return c;",
    "a table of the primes found so far": "  int64_t *p = malloc((n / 2 + 2) * sizeof(int64_t)), c = 0;\n"
    "  for (int64_t i = 2; i < n; i++) {\n    int is = 1;\n"
    "    for (int64_t k = 0; k < c && p[k] * p[k] <= i; k++) if (i % p[k] == 0) { is = 0; break; }\n"
    "    if (is) p[c++] = i;\n  }\n  return c;",
}


@sj.evolvable
def primes(n: int) -> int:
    """Count the primes below n."""
    count = 0
    for i in range(2, n):
        is_prime = True
        for j in range(2, i):
            if i % j == 0:
                is_prime = False
                break
        count += is_prime
    return count


def reply(messages):
    """Write the answer to the strategy that the messages ask for."""
    strategy = next(name for name in STRATEGIES if messages[1]["content"].rstrip().endswith(f"{name}."))
    return f"```c\nint64_t primes(int64_t n)\n{{\n{STRATEGIES[strategy]}\n}}\n```"


def main():
    """Evolve all eight, measure the right ones, activate the fastest; gives its name."""
    agent, label = model([reply] * len(STRATEGIES))
    print(label)
    prompts = [f"Count the primes below n by {name}." for name in STRATEGIES]
    with sj.Evolution(primes, metric=sj.Speedup([(3000,), (10,), (2,)]), deadline=20.0) as search:
        scores = {}
        for lane in primes.evolve_stream(agent, prompts, check=search.evaluate):
            if lane.result is None:
                print(f"{lane.prompt}: {lane.error}")
                continue
            scores[lane.index] = (search.evaluate(lane.result.source).score or 0.0, lane)
            print(f"{scores[lane.index][0]:8.1f} times the speed of the reference: {lane.prompt}")
    _, best = max(scores.values(), key=lambda pair: pair[0])
    primes.activate(best.revision)
    print(f"active: {best.prompt}", primes(100))
    return best.prompt


if __name__ == "__main__":
    main()
