"""Unroll-and-jam: several iterations of a loop at once, statement by statement.

In: a function's tree (as a whole file) and a random generator. Out: whether a loop was found; the tree is changed in
place. Scalars of the body become arrays with an element for each copy, which clang keeps in registers. As for every
transformation, nothing proves that the result computes the same: it is checked like any candidate.
Source: Allen and Kennedy, Optimizing Compilers for Modern Architectures (2002).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pycparser import c_ast

from symbiont_jit.c.build import assign, binary, block, clone, constant, declare, jumps_out, name, substitute
from symbiont_jit.c.loops import (
    Loop,
    PlacedLoop,
    body_statements,
    count_unrolled_copies,
    is_loop_pragma,
    is_short,
    loop_of,
    main_loops,
    make_for,
)
from symbiont_jit.c.names import assigned_names, declared_names, fresh_name, names_in
from symbiont_jit.propose.transform.nests import choose, find_element_type, without_pragmas
from symbiont_jit.propose.transform.reductions import find_reductions

__all__ = ["unroll_and_jam"]

FACTORS = (2, 4, 8, 16, 3, 6, 32)
FACTOR_WEIGHTS = (0.16, 0.27, 0.27, 0.14, 0.06, 0.05, 0.05)
MAX_COPIES = 256


def unroll_and_jam(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Unroll a loop and jam the copies of its body together, statement by statement and into inner loops.

    Scalars of the body become one for each copy; one that the body only reduces into becomes several partial results.
    A loop for the rest of the iterations follows.
    """
    chosen = choose(rng, [s for s in main_loops(tree) if _can_jam(s.loop)])
    if chosen is None:
        return False
    factor = int(rng.choice(FACTORS, p=FACTOR_WEIGHTS))
    if factor * count_unrolled_copies(chosen.loop.body) > MAX_COPIES:
        return False  # no machine has registers for so many copies, and clang would take seconds
    return _jam_site(tree, chosen, factor)


def _can_jam(loop: Loop) -> bool:
    return not jumps_out(loop.body) and bool(without_pragmas(body_statements(loop)))


def _jam_site(tree: Any, site: PlacedLoop, factor: int) -> bool:
    loop = site.loop
    partials = [(r, fresh_name(tree, r.scalar + "a")) for r in find_reductions(loop)]
    types = [find_element_type(tree, r.scalar) for r, _ in partials]
    if None in types:
        return False
    end, copy_var = fresh_name(tree, loop.var + "e"), fresh_name(tree, "u")
    copies = _Copies(loop, factor, copy_var, {r.scalar: array for r, array in partials})
    jammed = _jam(clone(body_statements(loop)), copies)
    if jammed is None:
        return False
    statements: list[Any] = [declare(end, list(loop.type), _find_last_whole(loop, factor))]
    for (reduction, array), words in zip(partials, types, strict=True):
        statements += [declare(array, words or [], None, factor), copies.fill(array, reduction.start)]
    statements += site.statements[site.pragma_start : site.index]
    statements.append(make_for(loop.var, loop.type, clone(loop.low), name(end), factor * loop.step, jammed))
    statements += [copies.for_each([r.join(copies.of(array))]) for r, array in partials]
    statements.append(make_for(loop.var, loop.type, name(end), clone(loop.high), loop.step, body_statements(loop)))
    site.replace([block(statements)])
    return True


def _find_last_whole(loop: Loop, factor: int) -> Any:
    """Make the expression for where the last whole group of `factor` iterations ends."""
    span = binary("*", constant(factor), constant(loop.step))
    from_zero = getattr(loop.low, "value", None) == "0"
    length = clone(loop.high) if from_zero else c_ast.BinaryOp("-", clone(loop.high), clone(loop.low))
    whole = c_ast.BinaryOp("*", c_ast.BinaryOp("/", length, span), clone(span))
    return whole if from_zero else binary("+", whole, clone(loop.low))


class _Copies:
    """The copies of a body that is jammed.

    `factor` is their number, `var` the variable that counts them; `arrays` has for each name of which every copy has
    its own the array that they are in.
    """

    def __init__(self, loop: Loop, factor: int, var: str, arrays: Mapping[str, str]) -> None:
        self.loop = loop
        self.factor = factor
        self.var = var
        self.arrays = dict(arrays)

    def scope(self, *hidden: str) -> _Copies:
        """Make the record of these copies for an inner scope, which declares the hidden names anew."""
        arrays = {n: a for n, a in self.arrays.items() if n not in hidden}
        return _Copies(self.loop, self.factor, self.var, arrays)

    def each(self, statements: list[Any]) -> Any:
        """Make a loop that runs some statements once for every copy, with that copy's variables."""
        own = {d for s in statements for d in declared_names(s)}
        shift = binary("*", name(self.var), constant(self.loop.step))
        replacements = {s: self.of(a) for s, a in self.arrays.items() if s not in own}
        replacements[self.loop.var] = binary("+", name(self.loop.var), shift)
        return self.for_each([substitute(s, replacements) for s in statements])

    def for_each(self, statements: list[Any]) -> Any:
        """Make a loop over the copies, with some statements as its body."""
        return make_for(self.var, ("int64_t",), constant(0), constant(self.factor), 1, statements)

    def of(self, array: str) -> Any:
        """Make the expression for a copy's own element of an array."""
        return c_ast.ArrayRef(name(array), name(self.var))

    def fill(self, array: str, value: Any) -> Any:
        """Make the loop that gives every copy's element of an array a value."""
        return self.for_each([assign(self.of(array), clone(value))])

    def depends(self, node: Any) -> bool:
        """Whether a node is different in different copies."""
        return bool(names_in(node) & ({self.loop.var} | set(self.arrays)))

    def is_shared(self, decl: Any) -> bool:
        """Whether a declared scalar has one value for all copies: it depends on none of them and never changes."""
        is_fixed = decl.init is not None and not self.depends(decl.init)
        return is_fixed and decl.name not in assigned_names(self.loop.body)


def _jam(statements: list[Any], copies: _Copies) -> list[Any] | None:
    """Run each statement for all copies before the next one; None where a declaration cannot be multiplied."""
    out: list[Any] = []
    for statement in statements:
        if isinstance(statement, c_ast.Decl):
            many = _multiply_declaration(statement, copies)
        elif is_loop_pragma(statement):
            many = [statement]
        else:
            many = _jam_statement(statement, copies)
        if many is None:
            return None
        out += many
    return out


def _jam_statement(statement: Any, copies: _Copies) -> list[Any] | None:
    if isinstance(statement, c_ast.Compound):
        inside = _jam(list(statement.block_items or ()), copies.scope())
        return None if inside is None else [block(inside)]
    loop = loop_of(statement)
    if loop is None or copies.depends(loop.low) or copies.depends(loop.high) or is_short(loop):
        return [copies.each([statement])]
    inner = _jam(body_statements(loop), copies.scope(loop.var))
    return None if inner is None else [make_for(loop.var, loop.type, loop.low, loop.high, loop.step, inner)]


def _multiply_declaration(decl: Any, copies: _Copies) -> list[Any] | None:
    """Declare one variable for each copy, and initialise them; None where that is impossible."""
    if isinstance(decl.type, c_ast.ArrayDecl) and decl.init is None:
        copies.arrays[decl.name] = decl.name
        decl.type = c_ast.ArrayDecl(decl.type, constant(copies.factor), [])
        return [decl]
    is_scalar = isinstance(decl.type, c_ast.TypeDecl) and isinstance(decl.type.type, c_ast.IdentifierType)
    if not is_scalar or isinstance(decl.init, c_ast.InitList):
        return None
    if copies.is_shared(decl):
        copies.arrays.pop(decl.name, None)
        return [decl]
    declared = declare(decl.name, list(decl.type.type.names), None, copies.factor)
    # The initialiser is evaluated before the declared name is in scope for the copies.
    value = None if decl.init is None else copies.each([assign(name(_UNSET), decl.init)])
    copies.arrays[decl.name] = decl.name
    if value is None:
        return [declared]
    return [declared, substitute(value, {_UNSET: copies.of(decl.name)})]


#: This name stands for the variable that is being initialised; no candidate can have such a name.
_UNSET = "sj_target"
