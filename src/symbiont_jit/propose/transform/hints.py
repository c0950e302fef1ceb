"""Transformations that change no computation, only what clang may assume or is asked to try."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycparser import c_ast

from symbiont_jit.c.loops import is_loop_pragma, loops_in, main_loops

__all__ = ["allow_reassociation", "hint_loop", "restrict_pointers"]

LOOP_HINTS = (
    "unroll_count(2)", "unroll_count(4)", "unroll_count(8)", "unroll(full)", "unroll(disable)",
    "vectorize(enable)", "vectorize(assume_safety)", "vectorize(disable)", "vectorize_width(4)", "vectorize_width(8)",
    "vectorize_width(16)", "interleave_count(2)", "interleave_count(4)", "interleave_count(8)",
)  # fmt: skip

FP_MODES = (
    "contract(fast)",
    "reassociate(on)",
    "reassociate(on) contract(fast)",
    "reassociate(on) contract(fast) reciprocal(on)",
)


def hint_loop(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Put another `#pragma clang loop` before a loop, or take the one that is there away."""
    sites = main_loops(tree) if rng.random() < 0.8 else list(loops_in(tree))
    if not sites:
        return False
    site = sites[int(rng.integers(len(sites)))]
    start = site.pragma_start
    had_some = start < site.index
    hints = []
    if not had_some or rng.random() < 0.7:
        hints = [c_ast.Pragma(f"clang loop {LOOP_HINTS[int(rng.integers(len(LOOP_HINTS)))]}")]
    site.statements[start : site.index] = hints
    return True


def allow_reassociation(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Let clang reorder, contract or replace floating-point operations in a function, or take that back."""
    functions = [f for f in tree.ext if isinstance(f, c_ast.FuncDef)]
    if not functions:
        return False
    body = functions[int(rng.integers(len(functions)))].body
    items = [s for s in body.block_items or () if not _is_fp_pragma(s)]
    had_some = len(items) != len(body.block_items or ())
    if not had_some or rng.random() < 0.8:
        items.insert(0, c_ast.Pragma(f"clang fp {FP_MODES[int(rng.integers(len(FP_MODES)))]}"))
    body.block_items = items
    return True


def _is_fp_pragma(node: Any) -> bool:
    return isinstance(node, c_ast.Pragma) and not is_loop_pragma(node)


def restrict_pointers(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Promise that the arrays of a function do not overlap."""
    changed = False
    for function in (f for f in tree.ext if isinstance(f, c_ast.FuncDef)):
        args = function.decl.type.args
        for param in args.params if args else ():
            changed |= _restrict(getattr(param, "type", None))
    return changed


def _restrict(node: Any) -> bool:
    quals = (
        node.dim_quals if isinstance(node, c_ast.ArrayDecl) else node.quals if isinstance(node, c_ast.PtrDecl) else None
    )
    if quals is None or "restrict" in quals:
        return False
    if isinstance(node, c_ast.ArrayDecl) and node.dim is None:
        # `x[restrict]` is legal C that pycparser does not print: write the pointer it means.
        return False
    quals.append("restrict")
    return True
