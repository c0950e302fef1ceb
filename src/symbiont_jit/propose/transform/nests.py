"""Transformations of loop nests: the order in which iterations run, and what stays in registers.

Each takes a function's tree (as a whole file) and a random generator, changes the tree in place and says whether it
found something to change. None proves that the result computes the same: every result is checked like any candidate.
Sources: Wolfe, High Performance Compilers for Parallel Computing (1996); Allen and Kennedy, Optimizing Compilers for
Modern Architectures (2002), whose names are used.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from pycparser import c_ast

from symbiont_jit.c.build import assign, binary, block, clone, constant, declare, jumps_out, name, rewrite, substitute
from symbiont_jit.c.loops import (
    Loop,
    PlacedLoop,
    body_statements,
    is_loop_pragma,
    is_short,
    loop_of,
    loops_in,
    main_loops,
    make_for,
    unrolled_copies,
)
from symbiont_jit.c.names import assigned_names, declared_names, fresh_name, names_in
from symbiont_jit.c.tree import print_tree, walk
from symbiont_jit.propose.transform.reductions import reductions

__all__ = ["accumulate_in_place", "distribute", "fuse", "interchange", "jam", "promote", "sink_reduction", "tile"]

FACTORS = (2, 4, 8, 16, 3, 6, 32)
FACTOR_WEIGHTS = (0.16, 0.27, 0.27, 0.14, 0.06, 0.05, 0.05)
MAX_COPIES = 256
TILES = (8, 16, 32, 64, 128, 256)


def _choose(rng: np.random.Generator, items: list[Any]) -> Any | None:
    return items[int(rng.integers(len(items)))] if items else None


def _plain(statements: list[Any]) -> list[Any]:
    return [s for s in statements if not is_loop_pragma(s)]


# -- the order of two loops -----------------------------------------------------------------------------------------


def _perfect_inner(loop: Loop) -> Loop | None:
    """The loop that is all of another's body, with bounds that do not depend on it."""
    inside = _plain(body_statements(loop))
    inner = loop_of(inside[0]) if len(inside) == 1 else None
    if inner is None or loop.var in names_in(inner.low) | names_in(inner.high):
        return None
    return inner


def _swapped(outer: Loop, inner: Loop) -> Any:
    inside = make_for(outer.var, outer.type, outer.low, outer.high, outer.step, body_statements(inner))
    return make_for(inner.var, inner.type, inner.low, inner.high, inner.step, [inside])


def interchange(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for i { for j S }` -> `for j { for i S }`."""
    sites = [(s, inner) for s in main_loops(tree) if (inner := _perfect_inner(s.loop)) is not None]
    chosen = _choose(rng, sites)
    if chosen is None:
        return False
    site, inner = chosen
    site.replace([_swapped(site.loop, inner)])
    return True


def tile(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for i { for j S }` -> `for jj in tiles { for i { for j in tile S } }`."""
    sites = [
        (s, inner) for s in main_loops(tree) if (inner := _perfect_inner(s.loop)) is not None and not is_short(inner)
    ]
    chosen = _choose(rng, sites)
    if chosen is None:
        return False
    site, inner = chosen
    outer = site.loop
    size = int(rng.choice(TILES))
    tiles = fresh_name(tree, inner.var + "t")
    end = binary("+", name(tiles), constant(size * inner.step))
    limit = c_ast.TernaryOp(c_ast.BinaryOp("<", end, clone(inner.high)), clone(end), clone(inner.high))
    within = make_for(inner.var, inner.type, name(tiles), limit, inner.step, body_statements(inner))
    between = make_for(outer.var, outer.type, outer.low, outer.high, outer.step, [within])
    site.replace([make_for(tiles, inner.type, inner.low, inner.high, size * inner.step, [between])])
    return True


# -- what a body consists of ----------------------------------------------------------------------------------------


def distribute(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for i { S; T }` -> `for i S; for i T`, where no declaration of S is used in T."""
    sites = [(s, cut) for s in main_loops(tree) for cut in _cuts(s.loop)]
    chosen = _choose(rng, sites)
    if chosen is None:
        return False
    _distribute_at(*chosen)
    return True


def _cuts(loop: Loop) -> list[int]:
    """Where a body can be cut in two."""
    items = body_statements(loop)
    if jumps_out(loop.body):
        return []
    return [
        cut
        for cut in range(1, len(items))
        if not is_loop_pragma(items[cut - 1]) and not _used_across(items[:cut], items[cut:])
    ]


def _used_across(first: list[Any], second: list[Any]) -> bool:
    declared = {s.name for s in first if isinstance(s, c_ast.Decl)}
    return any(declared & names_in(s) for s in second)


def _distribute_at(site: PlacedLoop, cut: int) -> None:
    loop, items = site.loop, body_statements(site.loop)
    parts = [
        make_for(loop.var, loop.type, clone(loop.low), clone(loop.high), loop.step, part)
        for part in (items[:cut], items[cut:])
    ]
    site.replace(parts)


def fuse(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for i S; for i T` -> `for i { S; T }`, for two neighbours with the same bounds."""
    by_list: dict[int, list[PlacedLoop]] = {}
    for site in loops_in(tree):
        by_list.setdefault(id(site.statements), []).append(site)
    pairs = [
        (a, b)
        for sites in by_list.values()
        for a, b in itertools.pairwise(sites)
        if b.pragma_start == a.index + 1 and _same_range(a.loop, b.loop)
    ]
    chosen = _choose(rng, pairs)
    if chosen is None:
        return False
    first, second = chosen
    renamed = substitute(second.loop.body, {second.loop.var: name(first.loop.var)})
    body_statements(first.loop).append(renamed)
    del first.statements[second.pragma_start : second.index + 1]
    return True


def _same_range(a: Loop, b: Loop) -> bool:
    return a.step == b.step and print_tree(a.low) == print_tree(b.low) and print_tree(a.high) == print_tree(b.high)


# -- reductions: in a scalar or in memory -----------------------------------------------------------------------------


def accumulate_in_place(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`T s = e; ...; A[i] = s;` -> `A[i] = e; ...` with `A[i]` for `s`: the body can then be distributed."""
    chosen = _choose(rng, _scalar_reductions(tree))
    if chosen is None:
        return False
    _to_memory(*chosen)
    return True


def _scalar_reductions(tree: Any) -> list[tuple[list[Any], int, int]]:
    """Lists of statements with a declared scalar whose last use is to be stored: (statements, declaration, store)."""
    found = []
    for node in walk(tree):
        items = (node.block_items or []) if isinstance(node, c_ast.Compound) else []
        for store, statement in enumerate(items):
            start = _declaration_before(items, store, _stored_scalar(statement))
            if start is not None:
                found.append((items, start, store))
    return found


def _stored_scalar(statement: Any) -> str | None:
    match statement:
        case c_ast.Assignment(op="=", lvalue=c_ast.ArrayRef(), rvalue=c_ast.ID(name=scalar)):
            return str(scalar)
    return None


def _declaration_before(items: list[Any], store: int, scalar: str | None) -> int | None:
    """Where the stored scalar is declared with a value, if the target depends on nothing in between."""
    if scalar is None or any(scalar in names_in(s) for s in items[store + 1 :]):
        return None
    for start in range(store):
        decl = items[start]
        if isinstance(decl, c_ast.Decl) and decl.name == scalar and decl.init is not None:
            between = set().union(*(assigned_names(s) | set(declared_names(s)) for s in items[start:store]))
            indices = names_in(items[store].lvalue) - {_array_name(items[store].lvalue)}
            return start if isinstance(decl.type, c_ast.TypeDecl) and not between & indices else None
    return None


def _array_name(node: Any) -> str | None:
    while isinstance(node, c_ast.ArrayRef):
        node = node.name
    return node.name if isinstance(node, c_ast.ID) else None


def _to_memory(items: list[Any], start: int, store: int) -> None:
    target, decl = items[store].lvalue, items[start]
    items[start] = assign(clone(target), decl.init)
    for position in range(start + 1, store):
        items[position] = substitute(items[position], {decl.name: target})
    del items[store]


def promote(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for k A[i] += e;` -> `double s = A[i]; for k s += e; A[i] = s;`, where the element is the same in every k."""
    sites = [(s, target) for s in main_loops(tree) for target in _invariant_elements(s.loop)]
    chosen = _choose(rng, sites)
    if chosen is None:
        return False
    site, target = chosen
    element = _element_type(tree, _array_name(target))
    if element is None:
        return False
    scalar = fresh_name(tree, "s")
    _replace_element(site.loop.body, target, scalar)
    loop = site.loop.node
    pragmas = site.statements[site.pragma_start : site.index]
    site.replace(
        [block([declare(scalar, element, clone(target)), *pragmas, loop, assign(clone(target), name(scalar))])]
    )
    return True


def _invariant_elements(loop: Loop) -> list[Any]:
    changing = {loop.var} | assigned_names(loop.body) | set(declared_names(loop.body))
    targets = [
        n.lvalue
        for n in walk(loop.body)
        if isinstance(n, c_ast.Assignment)
        and isinstance(n.lvalue, c_ast.ArrayRef)
        and not (names_in(n.lvalue) - {_array_name(n.lvalue)}) & changing
    ]
    return [] if jumps_out(loop.body) else targets


def _element_type(tree: Any, array: str | None) -> list[str] | None:
    """The words of an array's scalar type, from wherever it is declared."""
    for node in walk(tree):
        if isinstance(node, c_ast.Decl) and node.name == array:
            inner = node.type
            while isinstance(inner, c_ast.ArrayDecl | c_ast.PtrDecl):
                inner = inner.type
            if isinstance(inner, c_ast.TypeDecl) and isinstance(inner.type, c_ast.IdentifierType):
                return list(inner.type.names)
    return None


def _replace_element(body: Any, target: Any, scalar: str) -> None:
    wanted = print_tree(target)

    def change(node: Any) -> Any | None:
        return name(scalar) if isinstance(node, c_ast.ArrayRef) and print_tree(node) == wanted else None

    rewrite(body, change)


def sink_reduction(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for j { s = 0; for k s += e; A[j] = s; }` -> `for j A[j] = 0; for k { for j A[j] += e; }`.

    Accumulation in memory, distribution and interchange in one step: none of the three pays by itself.
    """
    sites = [
        (site, start, store)
        for site in main_loops(tree)
        for items, start, store in _scalar_reductions(site.loop.body)
        if items is site.loop.body.block_items
    ]
    chosen = _choose(rng, sites)
    if chosen is None:
        return False
    site, start, store = chosen
    _to_memory(body_statements(site.loop), start, store)
    cuts = [c for c in _cuts(site.loop) if loop_of(_plain(body_statements(site.loop)[c:])[0]) is not None]
    if not cuts:
        return False
    _distribute_at(site, cuts[0])
    for second in loops_in(tree):
        inner = _perfect_inner(second.loop)
        if second.statements is site.statements and second.loop.var == site.loop.var and inner is not None:
            second.replace([_swapped(second.loop, inner)])
            return True
    return False


# -- several iterations at once ---------------------------------------------------------------------------------


def jam(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Unroll a loop and jam the copies of its body together, statement by statement and into inner loops.

    Scalars of the body become one for each copy; one that the body only reduces into becomes several partial results.
    A loop for the rest of the iterations follows.
    """
    chosen = _choose(rng, [s for s in main_loops(tree) if _can_jam(s.loop)])
    if chosen is None:
        return False
    factor = int(rng.choice(FACTORS, p=FACTOR_WEIGHTS))
    if factor * unrolled_copies(chosen.loop.body) > MAX_COPIES:
        return False  # no machine has the registers, and clang takes seconds
    return _jam_site(tree, chosen, factor)


def _can_jam(loop: Loop) -> bool:
    return not jumps_out(loop.body) and bool(_plain(body_statements(loop)))


def _jam_site(tree: Any, site: PlacedLoop, factor: int) -> bool:
    loop = site.loop
    partials = [(r, fresh_name(tree, r.scalar + "a")) for r in reductions(loop)]
    types = [_element_type(tree, r.scalar) for r, _ in partials]
    if None in types:
        return False
    end, copy_var = fresh_name(tree, loop.var + "e"), fresh_name(tree, "u")
    copies = _Copies(loop, factor, copy_var, {r.scalar: array for r, array in partials})
    jammed = _jammed(clone(body_statements(loop)), copies)
    if jammed is None:
        return False
    statements: list[Any] = [declare(end, list(loop.type), _last_whole(loop, factor))]
    for (reduction, array), words in zip(partials, types, strict=True):
        statements += [declare(array, words or [], None, factor), copies.filled(array, reduction.start)]
    statements += site.statements[site.pragma_start : site.index]
    statements.append(make_for(loop.var, loop.type, clone(loop.low), name(end), factor * loop.step, jammed))
    statements += [copies.for_each([r.join(copies.of(array))]) for r, array in partials]
    statements.append(make_for(loop.var, loop.type, name(end), clone(loop.high), loop.step, body_statements(loop)))
    site.replace([block(statements)])
    return True


def _last_whole(loop: Loop, factor: int) -> Any:
    """Where the last whole group of iterations ends."""
    span = binary("*", constant(factor), constant(loop.step))
    from_zero = getattr(loop.low, "value", None) == "0"
    length = clone(loop.high) if from_zero else c_ast.BinaryOp("-", clone(loop.high), clone(loop.low))
    whole = c_ast.BinaryOp("*", c_ast.BinaryOp("/", length, span), clone(span))
    return whole if from_zero else binary("+", whole, clone(loop.low))


class _Copies:
    """The copies of a body that is jammed: how many, which variable counts them, and which names there are one each."""

    def __init__(self, loop: Loop, factor: int, var: str, arrays: Mapping[str, str]) -> None:
        self.loop = loop
        self.factor = factor
        self.var = var
        self.arrays = dict(arrays)

    def scope(self, *hidden: str) -> _Copies:
        """The same copies in an inner scope, where names may be declared anew."""
        arrays = {n: a for n, a in self.arrays.items() if n not in hidden}
        return _Copies(self.loop, self.factor, self.var, arrays)

    def each(self, statements: list[Any]) -> Any:
        """Statements, once for every copy."""
        own = {d for s in statements for d in declared_names(s)}
        shift = binary("*", name(self.var), constant(self.loop.step))
        replacements = {s: self.of(a) for s, a in self.arrays.items() if s not in own}
        replacements[self.loop.var] = binary("+", name(self.loop.var), shift)
        return self.for_each([substitute(s, replacements) for s in statements])

    def for_each(self, statements: list[Any]) -> Any:
        """The loop over the copies."""
        return make_for(self.var, ("int64_t",), constant(0), constant(self.factor), 1, statements)

    def of(self, array: str) -> Any:
        """A copy's own element."""
        return c_ast.ArrayRef(name(array), name(self.var))

    def filled(self, array: str, value: Any) -> Any:
        """The loop that gives every copy's element a value."""
        return self.for_each([assign(self.of(array), clone(value))])

    def depends(self, node: Any) -> bool:
        """Whether a node is different in different copies."""
        return bool(names_in(node) & ({self.loop.var} | set(self.arrays)))

    def is_shared(self, decl: Any) -> bool:
        """Whether a declared scalar has one value for all copies: it depends on none of them and never changes."""
        is_fixed = decl.init is not None and not self.depends(decl.init)
        return is_fixed and decl.name not in assigned_names(self.loop.body)


def _jammed(statements: list[Any], copies: _Copies) -> list[Any] | None:
    """The statements of a body, each for all copies before the next; None where a declaration cannot be multiplied."""
    out: list[Any] = []
    for statement in statements:
        if isinstance(statement, c_ast.Decl):
            many = _multiplied(statement, copies)
        elif is_loop_pragma(statement):
            many = [statement]
        else:
            many = _jammed_statement(statement, copies)
        if many is None:
            return None
        out += many
    return out


def _jammed_statement(statement: Any, copies: _Copies) -> list[Any] | None:
    if isinstance(statement, c_ast.Compound):
        inside = _jammed(list(statement.block_items or ()), copies.scope())
        return None if inside is None else [block(inside)]
    loop = loop_of(statement)
    if loop is None or copies.depends(loop.low) or copies.depends(loop.high) or is_short(loop):
        return [copies.each([statement])]
    inner = _jammed(body_statements(loop), copies.scope(loop.var))
    return None if inner is None else [make_for(loop.var, loop.type, loop.low, loop.high, loop.step, inner)]


def _multiplied(decl: Any, copies: _Copies) -> list[Any] | None:
    """A declaration of one variable for each copy, and its initialisation."""
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
    # Its initialiser is evaluated before the name is in scope for the copies.
    value = None if decl.init is None else copies.each([assign(name(_UNSET), decl.init)])
    copies.arrays[decl.name] = decl.name
    if value is None:
        return [declared]
    return [declared, substitute(value, {_UNSET: copies.of(decl.name)})]


_UNSET = "sj_target"  # stands for the variable that is being initialised; no candidate can have such a name
