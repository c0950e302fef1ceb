"""The offline proposer: random transformations of survivors' syntax trees, and a memory of which ones pay.

In: parents' canonical C. Out: candidates. It knows no kernel and trusts no transformation: what it makes is a text
like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from pycparser import c_ast

from symbiont_jit.c.tree import brace, parse, print_tree
from symbiont_jit.errors import Diagnostic, UsageError
from symbiont_jit.propose.base import Candidate, Parent, Scored
from symbiont_jit.propose.transform import TRANSFORMATIONS
from symbiont_jit.signature import Signature

__all__ = ["Mutator"]

MAX_STEPS = 3
STEP_WEIGHTS = (0.55, 0.3, 0.15)
MAX_SOURCE = 9_000
TRIES = 30
#: How strongly better parents are preferred: each rank has this share of the one before it.
RANK_DECAY = 0.65
#: The share of candidates that start from the first source again, with several steps at once: at first, and after so
#: many candidates without an improvement. First steps exclude others, and survivors are all of one family before long.
NEW_STARTS = (0.15, 0.5)
PATIENCE = 50
GAIN = 1.02


class Mutator:
    """The offline proposer: one to three random transformations of a parent.

    A transformation whose results keep being wrong is tried less and less, down to a floor; one whose results improve
    on their parents is tried more.

    Args:
        transformations: The names of those that are to be used, or a weight for each of them; by default all that
            there are, with weights of their own.

    Raises:
        UsageError: There is no transformation of a given name, or none is given.

    Example:
        `Mutator(["unroll-and-jam", "tile"])`, or `Mutator({"tile": 1.0, "constant": 0.1})`.
    """

    def __init__(self, transformations: Mapping[str, float] | Sequence[str] | None = None) -> None:
        self._weights = _weights(transformations)
        self._tried = dict.fromkeys(self._weights, 0.0)
        self._credit = dict.fromkeys(self._weights, 0.0)
        self._seen: set[bytes] = set()
        self._roots: dict[str, Parent] = {}
        self._without_gain = 0

    def ask(self, signature: Signature, parents: Sequence[Parent], rng: np.random.Generator) -> Candidate | None:
        """Make a candidate whose text was not proposed before, or None after `TRIES` tries.

        Args:
            signature: The signature of the function that is searched.
            parents: The survivors, best first; better ones are preferred.
            rng: The random generator that everything is drawn from.

        Returns:
            The candidate; its `steps` are names of transformations.

        Raises:
            UsageError: There is no parent.
        """
        if not parents:
            raise UsageError(
                f"the offline mutator needs C to start from; declare {signature.name!r} with "
                "@evolvable(source=...), swap in a first version, or write a Python body that sj.translate makes C of"
            )
        self._roots.setdefault(signature.name, parents[-1])
        self._seen |= {_digest(parent.source) for parent in parents}  # A step may take back what the one before did.
        for _ in range(TRIES):
            starts_over = rng.random() < self._new_start_share()
            parent = self._roots[signature.name] if starts_over else _draw_by_rank(parents, rng)
            count = int(rng.integers(2, 5)) if starts_over else 1 + int(rng.choice(MAX_STEPS, p=STEP_WEIGHTS))
            steps, source = self._mutate(parent.source, count, rng)
            digest = _digest(source)
            if steps and digest not in self._seen and len(source) <= MAX_SOURCE:
                self._seen.add(digest)
                return Candidate(source, f"mutator: {', '.join(steps)}", parent=parent.number, steps=tuple(steps))
        return None

    def _new_start_share(self) -> float:
        low, high = NEW_STARTS
        return low + (high - low) * min(1.0, self._without_gain / PATIENCE)

    def tell(self, candidate: Candidate, evaluation: Scored, gain: float | None) -> None:
        """Credit or blame the transformations that made a candidate.

        Args:
            candidate: Any candidate; one without steps teaches nothing about transformations.
            evaluation: What became of it.
            gain: How many times better it is than its parent; None where that makes no sense.
        """
        # Nearly everything is better than the first source, so only a gain over a survivor counts.
        has_gained = evaluation.is_valid and candidate.parent is not None and gain is not None and gain > GAIN
        self._without_gain = 0 if has_gained else self._without_gain + 1
        for step in set(candidate.steps) & set(self._tried):
            self._tried[step] += 1.0
            if evaluation.is_valid:
                self._credit[step] += 0.3 if gain is None or gain < 1.01 else 1.0 + min(gain, 4.0)

    def _mutate(self, source: str, wanted: int, rng: np.random.Generator) -> tuple[list[str], str]:
        tree = parse(source)
        if isinstance(tree, Diagnostic):
            return [], ""
        brace(tree)
        steps: list[str] = []
        names = list(self._weights)
        chances = self._chances()
        for _ in range(4 * wanted):
            step = names[int(rng.choice(len(names), p=chances))]
            if _apply(step, tree, rng):
                steps.append(step)
            if len(steps) == wanted:
                break
        return steps, print_tree(tree)

    def _chances(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return the chance of each transformation: its weight times its mean credit, with a prior of one try."""
        payoffs = [(1.0 + self._credit[n]) / (1.0 + self._tried[n]) for n in self._weights]
        raw = np.array([w * max(0.05, m) for w, m in zip(self._weights.values(), payoffs, strict=True)])
        return np.asarray(raw / raw.sum())


def _digest(source: str) -> bytes:
    return hashlib.sha256(source.encode()).digest()


def _draw_by_rank(parents: Sequence[Parent], rng: np.random.Generator) -> Parent:
    """Draw a survivor, the better the likelier."""
    ranks = RANK_DECAY ** np.arange(len(parents))
    return parents[int(rng.choice(len(parents), p=ranks / ranks.sum()))]


def _apply(step: str, tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    changed = TRANSFORMATIONS[step].apply(tree, rng)
    if changed:
        brace(tree)
    return changed


def _weights(chosen: Mapping[str, float] | Sequence[str] | None) -> dict[str, float]:
    if chosen is None:
        return {name: t.weight for name, t in TRANSFORMATIONS.items()}
    unknown = [name for name in chosen if name not in TRANSFORMATIONS]
    if unknown or not chosen:
        raise UsageError(f"there is no transformation {unknown}; there are: {', '.join(TRANSFORMATIONS)}")
    if isinstance(chosen, Mapping):
        return {name: float(weight) for name, weight in chosen.items()}
    return {name: TRANSFORMATIONS[name].weight for name in chosen}
