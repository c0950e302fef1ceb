"""What is known while a function is translated: what its names mean, what has been learnt, and where lines go.

In: the function and the types of its arguments. Out: names of C for names of Python, and facts. What is learnt late, as
that a variable is of another type at the end of a loop than at its beginning, begins the translation anew; what has
been learnt stays. So each step can write its lines as if everything was known before.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from symbiont_jit.errors import TranslationError
from symbiont_jit.signature import Signature
from symbiont_jit.translation.bounds import KnownBounds
from symbiont_jit.translation.conversions import assigned, convert, int_value
from symbiont_jit.translation.extents import ONE, Extent, named_extent
from symbiont_jit.translation.facts import BoundNumber, Facts, Frame, Names, RestartError
from symbiont_jit.translation.source import PythonFunction, failure_at
from symbiont_jit.translation.typing import INT64, c_name, is_integer, unify
from symbiont_jit.translation.values import Quantity, Storage
from symbiont_jit.translation.writer import Line, Writer

__all__ = ["NodeHandler", "State"]


#: What translates a node; a statement's says whether the program goes on behind it.
NodeHandler = Callable[["State", Any], Any]


class State:
    """One attempt to translate a function."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.names = Names()
        self.writer = Writer()
        self.helpers: set[str] = set()
        self.functions: dict[Any, Any] = {}
        self.frames: list[Frame] = []
        self.loops: list[Any] = []
        self.quiet = 0
        self.bounds = KnownBounds()
        #: Memory by the blocks that it was made in.
        self.owned: list[list[Storage]] = []
        self._counting: set[str] = set()
        #: The types that names are read in, in this attempt.
        self.seen: dict[Hashable, set[Any]] = {}
        #: Tables of constants, by the arrays that they are; memory of names that lead to several.
        self.tables: dict[int, tuple[Storage, str]] = {}
        self.moving: dict[Hashable, Storage] = {}
        #: What the next array is called.
        self.wanted = ""
        #: Which binding made a memory, and how often each name was bound.
        self.origins: dict[Storage, Any] = {}
        self.counts: dict[Hashable, int] = {}
        #: Arrays that are made once, before any loop or `if`; and those that are results.
        self.made_at_top: set[Storage] = set()
        self.outputs: dict[Storage, str] = {}
        self.output: Any = None
        #: Functions that were read, and what was learnt of those that are functions of C.
        self.sources: dict[Any, PythonFunction] = {}
        self.helper_facts: dict[Any, Facts] = {}
        self.define_function: Any = None
        #: Functions that the text has besides, and their signatures: those that evolve together with this one.
        self.members: Mapping[Any, Signature] = {}
        #: Which function translates each kind of node.
        self.expressions: Mapping[type[ast.AST], NodeHandler] = {}
        self.statements: Mapping[type[ast.AST], NodeHandler] = {}
        self.parameters: set[str] = set()
        self.undeclared: set[str] = set()
        self._named: dict[Any, Extent] = {}
        #: What names stand for that are set once, to a sum.
        self.definitions: dict[str, Extent] = {}
        #: Words that are known before the first line runs.
        self.early: set[str] = set()
        #: Lengths of arguments, and the arguments that have them.
        self.lengths: dict[str, frozenset[str]] = {}
        #: Words of lengths that change.
        self.changing: set[str] = set()
        self.known_to_callers: set[str] = set()

    # -- places and errors -------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        """The function whose lines are being translated."""
        return self.frames[-1]

    def fail(self, node: ast.AST, message: str) -> NoReturn:
        """Raise the error about a node."""
        raise self.failure(node, message)

    def failure(self, node: ast.AST, message: str) -> TranslationError:
        """Make the error about a node."""
        return failure_at(self.frame.function, node, message)

    def learn(self, table: dict[Any, Any], key: Hashable, value: Any) -> None:
        """Note a fact; begin anew where it is news."""
        if table.get(key) != value:
            table[key] = value
            raise RestartError

    # -- numbers -----------------------------------------------------------------------------------------------------

    def variable(self, name: str, typ: Any) -> str:
        """Return the C variable of a name where it is of some type."""
        key = (self.frame.key, name)
        types = self.facts.used.get(key, set())
        main = typ
        for each in sorted(types, key=str):
            main = unify(main, each) or main
        word = self.frame.word(name)
        if typ != main and types:
            tagged = f"{name} as {typ}"
            if tagged not in self.frame.words:
                self.frame.words[tagged] = self.names.take(f"{word}_{typ}")
            word = self.frame.words[tagged]
        if word not in self.parameters:
            self.writer.variables.setdefault(word, c_name(typ))
        return word

    def read(self, name: str, bound: BoundNumber) -> Quantity:
        """Read a name that is a number."""
        self.seen.setdefault((self.frame.key, name), set()).add(bound.type)
        word = self.variable(name, bound.type)
        extent = None
        low = 0 if is_integer(bound.type) and not bound.type.signed else bound.low
        if bound.type == INT64 and self.frame.is_stable(name):
            extent = named_extent(word, self.python_of(word), low)
        return Quantity(word, bound.type, extent=extent, low=low)

    def python_of(self, word: str) -> str:
        """Return what a C word is in Python, where the caller knows it."""
        if word in self.definitions:
            python = self.definitions[word].python
            return f"({python})" if python else ""
        return word if word in self.known_to_callers else ""

    def same(self, one: Extent, other: Extent) -> bool:
        """Whether two sums are equal in every call, with what is known of the names in them."""
        return one == other or self.expanded(one) == self.expanded(other)

    def expanded(self, extent: Extent) -> Extent:
        """Replace names by the sums that they stand for."""
        for _ in range(8):
            known = [atom for atom, _ in extent.terms if atom.c in self.definitions]
            if not known:
                return extent
            for atom in known:
                extent = extent.replacing(atom, self.definitions[atom.c])
        return extent

    def write(self, name: str, value: Quantity) -> None:
        """Set a name to a number, in each type that it is read in."""
        used = self.facts.used.get((self.frame.key, name), set())
        targets = [typ for typ in used if typ == value.type or unify(value.type, typ) == typ] or [value.type]
        targets.sort(key=lambda typ: (typ != value.type, str(typ)))
        for typ in targets:
            given = value
            if typ != targets[0] and not value.is_simple:
                given = convert(Quantity(self.variable(name, targets[0]), targets[0]), typ)
            word = self.variable(name, typ)
            self.writer.assign(word, assigned(given, typ).text)
            if self.frame.is_stable(name) and typ == INT64 and given.extent is not None:
                self.definitions[word] = given.extent
        self.frame.bindings[name] = BoundNumber(value.type, value.low if is_integer(value.type) else None)

    def keep(self, value: Quantity, wanted: str) -> Quantity:
        """Give a number a name of its own, unless it has one."""
        if value.is_simple and (value.constant is not None or value.extent is not None):
            return value
        word = self.names.take(wanted)
        self.writer.line(f"const {c_name(value.type)} {word} = {value.text};")
        extent = named_extent(word, self._python_text(value), value.low) if value.type == INT64 else None
        return Quantity(word, value.type, extent=extent, low=value.low)

    def _python_text(self, value: Quantity) -> str:
        """Return the Python text of a number that the caller can compute, so that a name for it can be one too."""
        python = value.extent.python if value.extent is not None else ""
        return f"({python})" if python else ""

    def as_extent(self, value: Quantity, wanted: str) -> Extent:
        """Return a whole number as a sum of names that keep what they are."""
        value = convert(value, INT64)
        if value.extent is not None:
            return value.extent
        kept = self.keep(value, wanted)
        assert kept.extent is not None
        return kept.extent

    def keep_extent(self, extent: Extent, wanted: str) -> Extent:
        """Give a length a name of its own, unless it is a name or a number."""
        if extent.number is not None or extent.c.isidentifier():
            return extent
        return self.as_extent(
            self.keep(Quantity(int_value(extent).text, INT64, 1, None, extent, extent.low), wanted), wanted
        )

    def named(self, one: Extent, other: Extent, sign: str, kind: str, wanted: str = "") -> Extent:
        """Return a choice between two sums as a name, which is computed once where both are known that early."""
        key = (kind, one.c, other.c)
        words = one.words | other.words
        is_early = words <= self.early
        blocks = [self.writer.first] if is_early else self.writer.open_blocks
        for block in blocks if not words & self.changing else ():
            found = self._named.get((id(block), key))
            if found is not None:
                return found
        text, python, low = _choose(one, other, sign, kind)
        word = self.names.take(wanted or _name_of(one, kind))
        block = self.writer.first if is_early else self.writer.block
        block.items.append(Line(f"const int64_t {word} = {text};"))
        if is_early:
            self.early.add(word)
        made = named_extent(word, f"({python})" if python else "", low)
        self._named[id(block), key] = made
        return made

    def unite(self, one: Extent, other: Extent) -> bool:
        """Take the lengths of two arguments for equal, where that is tried."""
        words = [extent.c for extent in (one, other)]
        if not self.facts.unites or not all(word in self.lengths for word in words):
            return False
        if self.lengths[words[0]] & self.lengths[words[1]]:  # No array is taken for square.
            return False
        self.learn(self.facts.equal, words[1], words[0])
        return True

    def step_of(self, have: Extent) -> Quantity:
        """Return by how much an axis moves with the others: not at all where it has one element, which is repeated."""
        word = have.c if have.c.isidentifier() else "length"
        step = self.named(have, ONE, "== 1", "step", f"{word}_step")
        return Quantity(step.c, INT64)

    # -- arrays and loops --------------------------------------------------------------------------------------------

    def own(self, storage: Storage) -> None:
        """Remember memory that is given back where the block ends that it was made in."""
        if self.owned:
            self.owned[-1].append(storage)

    def take_wanted(self, otherwise: str) -> str:
        """Return what the next array is called, which only one array is."""
        wanted, self.wanted = self.wanted or otherwise, ""
        return wanted

    def may_write(self, storage: Storage) -> bool:
        """Whether memory can be written to; an argument can, unless its declaration says that it is only read."""
        if not storage.is_const:
            return True
        if storage.name not in self.undeclared:
            return False
        self.learn(self.facts.written, storage.name, True)
        return True

    def disown(self, storage: Storage) -> None:
        """Let memory live on behind its block."""
        for block in self.owned:
            block[:] = [each for each in block if each is not storage.root]

    def is_early(self, extent: Extent) -> bool:
        """Whether a length is known before the first line runs."""
        return extent.words <= self.early

    def begin_anew(self) -> NoReturn:
        """Begin the translation anew with what has been learnt."""
        raise RestartError

    def take_loop_word(self, wanted: Sequence[str]) -> str:
        """Return a word for the index of a loop; other loops may have it later."""
        for word in (*wanted, *(f"{wanted[0]}{number}" for number in range(1, 100))):
            is_name = any(word in frame.stores for frame in self.frames)
            if not is_name and not self.names.is_taken(word) and word not in self._counting:
                self._counting.add(word)
                return word
        raise AssertionError("there are no such deep loops")

    def give_loop_word(self, word: str) -> None:
        """Let other loops have a word."""
        self._counting.discard(word)

    def is_counting(self, word: str) -> bool:
        """Whether an open loop counts with a word."""
        return word in self._counting

    def start_counting(self, word: str) -> None:
        """Let an open loop count with a word."""
        self._counting.add(word)

    def loop_value(self, word: str, first: Extent, end: Extent) -> Quantity:
        """Return the index of a loop that counts up, with its bounds."""
        self.bounds.note(word, first, end - ONE)
        low = first.low
        return Quantity(word, INT64, extent=named_extent(word, "", low), low=low)

    @contextmanager
    def assume(self, test: ast.expr | None) -> Iterator[None]:
        """Take a condition for true: names that it compares with a number are at least that."""
        before = dict(self.frame.bindings)
        for name, low in _least_values(test):
            bound = self.frame.bindings.get(name)
            if isinstance(bound, BoundNumber) and is_integer(bound.type) and (bound.low is None or bound.low < low):
                self.frame.bindings[name] = replace(bound, low=low)
        try:
            yield
        finally:
            for name, bound in before.items():
                if isinstance(bound, BoundNumber):
                    now = self.frame.bindings.get(name)
                    if (
                        isinstance(now, BoundNumber)
                        and now.type == bound.type
                        and now.low != bound.low
                        and bound.low is None
                    ):
                        self.frame.bindings[name] = bound

    # -- blocks ------------------------------------------------------------------------------------------------------

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Let divisions by zero give numbers, as in expressions of arrays."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1


def _least_values(test: ast.expr | None) -> Iterator[tuple[str, int]]:
    """Return what a condition says of names that it compares with whole numbers."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for each in test.values:
            yield from _least_values(each)
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
        return
    left, right, kind = test.left, test.comparators[0], type(test.ops[0])
    if kind in (ast.Lt, ast.LtE):
        left, right, kind = right, left, {ast.Lt: ast.Gt, ast.LtE: ast.GtE}[kind]
    if kind not in (ast.Gt, ast.GtE) or not (isinstance(right, ast.Constant) and type(right.value) is int):
        return
    low = right.value + (kind is ast.Gt)
    is_shifted = isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub | ast.Add)
    if is_shifted and isinstance(left.right, ast.Constant) and type(left.right.value) is int:  # type: ignore[attr-defined]
        low += left.right.value if isinstance(left.op, ast.Sub) else -left.right.value  # type: ignore[attr-defined]
        left = left.left  # type: ignore[attr-defined]
    if isinstance(left, ast.Name):
        yield left.id, low


def _choose(one: Extent, other: Extent, sign: str, kind: str) -> tuple[str, str, int | None]:
    """Return the C and the Python of a choice between two sums, and what it is at least."""
    python = bool(one.python and other.python)
    if kind == "max":
        positive = Extent.of(dict(one.terms), 0)
        text = f"{positive.c} > {-one.constant} ? {one.c} : 0"
        return text, f"max({one.python}, 0)" if python else "", 0
    if kind == "min":
        lows = one.low, other.low
        low = None if lows[0] is None or lows[1] is None else min(lows[0], lows[1])
        return (
            f"{one.c} {sign} {other.c} ? {one.c} : {other.c}",
            f"min({one.python}, {other.python})" if python else "",
            low,
        )
    if kind == "step":
        return f"{one.c} == 1 ? 0 : 1", "", 0
    text = f"{one.c} {sign} ? {other.c} : {one.c}"
    return text, f"({other.python}) if ({one.python}) == 1 else ({one.python})" if python else "", 0


def _name_of(one: Extent, kind: str) -> str:
    """Return a readable name of a choice: `n_minus_2`."""
    if kind == "max" and len(one.terms) == 1 and one.terms[0][1] == 1 and one.terms[0][0].c.isidentifier():
        word = one.terms[0][0].c
        return (
            f"{word}_{'minus' if one.constant < 0 else 'plus'}_{abs(one.constant)}"
            if one.constant
            else f"{word}_length"
        )
    return {"max": "length", "min": "end", "common": "common"}[kind]
