"""Transformations of loop nests: the order in which iterations run, and where results are accumulated.

Each takes a function's tree (as a whole file) and a random generator, changes the tree in place and says whether it
found something to change. None proves that the result computes the same: every result is checked like any candidate.
Sources: Wolfe, High Performance Compilers for Parallel Computing (1996); Allen and Kennedy, Optimizing Compilers for
Modern Architectures (2002), whose names are used.
"""

from __future__ import annotations

import itertools
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
)
from symbiont_jit.c.names import assigned_names, declared_names, fresh_name, names_in
from symbiont_jit.c.tree import print_tree, walk

__all__ = [
    "accumulate_in_place",
    "choose",
    "distribute",
    "find_element_type",
    "fuse",
    "interchange",
    "interchange_reduction",
    "scalar_replacement",
    "tile",
    "without_pragmas",
]

TILES = (8, 16, 32, 64, 128, 256)


def choose(rng: np.random.Generator, items: list[Any]) -> Any | None:
    """Draw one of some items; the result is None where there are none."""
    return items[int(rng.integers(len(items)))] if items else None


def without_pragmas(statements: list[Any]) -> list[Any]:
    """Return the statements without the pragmas that belong to loops."""
    return [s for s in statements if not is_loop_pragma(s)]


# -- the order of two loops -----------------------------------------------------------------------------------------


def _find_perfect_inner(loop: Loop) -> Loop | None:
    """Find the loop that is all of another's body and whose bounds do not depend on the other's variable."""
    inside = without_pragmas(body_statements(loop))
    inner = loop_of(inside[0]) if len(inside) == 1 else None
    if inner is None or loop.var in names_in(inner.low) | names_in(inner.high):
        return None
    return inner


def _swap_loops(outer: Loop, inner: Loop) -> Any:
    inside = make_for(outer.var, outer.type, outer.low, outer.high, outer.step, body_statements(inner))
    return make_for(inner.var, inner.type, inner.low, inner.high, inner.step, [inside])


def interchange(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for i { for j S }` -> `for j { for i S }`."""
    sites = [(s, inner) for s in main_loops(tree) if (inner := _find_perfect_inner(s.loop)) is not None]
    chosen = choose(rng, sites)
    if chosen is None:
        return False
    site, inner = chosen
    site.replace([_swap_loops(site.loop, inner)])
    return True


def tile(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for i { for j S }` -> `for jj in tiles { for i { for j in tile S } }`."""
    sites = [
        (s, inner)
        for s in main_loops(tree)
        if (inner := _find_perfect_inner(s.loop)) is not None and not is_short(inner)
    ]
    chosen = choose(rng, sites)
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
    sites = [(s, cut) for s in main_loops(tree) for cut in _find_cuts(s.loop)]
    chosen = choose(rng, sites)
    if chosen is None:
        return False
    _distribute_at(*chosen)
    return True


def _find_cuts(loop: Loop) -> list[int]:
    """Find the places where a body can be cut in two."""
    items = body_statements(loop)
    if jumps_out(loop.body):
        return []
    return [
        cut
        for cut in range(1, len(items))
        if not is_loop_pragma(items[cut - 1]) and not _is_used_across(items[:cut], items[cut:])
    ]


def _is_used_across(first: list[Any], second: list[Any]) -> bool:
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
        if b.pragma_start == a.index + 1 and _has_same_range(a.loop, b.loop)
    ]
    chosen = choose(rng, pairs)
    if chosen is None:
        return False
    first, second = chosen
    renamed = substitute(second.loop.body, {second.loop.var: name(first.loop.var)})
    body_statements(first.loop).append(renamed)
    del first.statements[second.pragma_start : second.index + 1]
    return True


def _has_same_range(a: Loop, b: Loop) -> bool:
    return a.step == b.step and print_tree(a.low) == print_tree(b.low) and print_tree(a.high) == print_tree(b.high)


# -- reductions: in a scalar or in memory -----------------------------------------------------------------------------


def accumulate_in_place(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`T s = e; ...; A[i] = s;` -> `A[i] = e; ...` with `A[i]` for `s`: the body can then be distributed."""
    chosen = choose(rng, _find_scalar_reductions(tree))
    if chosen is None:
        return False
    _move_to_memory(*chosen)
    return True


def _find_scalar_reductions(tree: Any) -> list[tuple[list[Any], int, int]]:
    """Find declared scalars whose last use is a store: a list of statements, and where the two are in it."""
    found = []
    for node in walk(tree):
        items = (node.block_items or []) if isinstance(node, c_ast.Compound) else []
        for store, statement in enumerate(items):
            start = _find_declaration(items, store, _find_stored_scalar(statement))
            if start is not None:
                found.append((items, start, store))
    return found


def _find_stored_scalar(statement: Any) -> str | None:
    match statement:
        case c_ast.Assignment(op="=", lvalue=c_ast.ArrayRef(), rvalue=c_ast.ID(name=scalar)):
            return str(scalar)
    return None


def _find_declaration(items: list[Any], store: int, scalar: str | None) -> int | None:
    """Find where the stored scalar is declared with a value, if the target depends on nothing in between."""
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


def _move_to_memory(items: list[Any], start: int, store: int) -> None:
    target, decl = items[store].lvalue, items[start]
    items[start] = assign(clone(target), decl.init)
    for position in range(start + 1, store):
        items[position] = substitute(items[position], {decl.name: target})
    del items[store]


def scalar_replacement(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for k A[i] += e;` -> `double s = A[i]; for k s += e; A[i] = s;`, where the element is the same in every k."""
    sites = [(s, target) for s in main_loops(tree) for target in _find_invariant_elements(s.loop)]
    chosen = choose(rng, sites)
    if chosen is None:
        return False
    site, target = chosen
    element = find_element_type(tree, _array_name(target))
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


def _find_invariant_elements(loop: Loop) -> list[Any]:
    changing = {loop.var} | assigned_names(loop.body) | set(declared_names(loop.body))
    targets = [
        n.lvalue
        for n in walk(loop.body)
        if isinstance(n, c_ast.Assignment)
        and isinstance(n.lvalue, c_ast.ArrayRef)
        and not (names_in(n.lvalue) - {_array_name(n.lvalue)}) & changing
    ]
    return [] if jumps_out(loop.body) else targets


def find_element_type(tree: Any, array: str | None) -> list[str] | None:
    """Find the words of an array's scalar type, wherever the array is declared; None where it has another type."""
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


def interchange_reduction(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`for j { s = 0; for k s += e; A[j] = s; }` -> `for j A[j] = 0; for k { for j A[j] += e; }`.

    Accumulation in memory, distribution and interchange in one step: none of the three pays by itself.
    """
    sites = [
        (site, start, store)
        for site in main_loops(tree)
        for items, start, store in _find_scalar_reductions(site.loop.body)
        if items is site.loop.body.block_items
    ]
    chosen = choose(rng, sites)
    if chosen is None:
        return False
    site, start, store = chosen
    _move_to_memory(body_statements(site.loop), start, store)
    cuts = [c for c in _find_cuts(site.loop) if loop_of(without_pragmas(body_statements(site.loop)[c:])[0]) is not None]
    if not cuts:
        return False
    _distribute_at(site, cuts[0])
    for second in loops_in(tree):
        inner = _find_perfect_inner(second.loop)
        if second.statements is site.statements and second.loop.var == site.loop.var and inner is not None:
            second.replace([_swap_loops(second.loop, inner)])
            return True
    return False
