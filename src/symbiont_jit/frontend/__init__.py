"""C text that somebody proposed -> canonical, checked C."""

from __future__ import annotations

from symbiont_jit.frontend.canonical import Canonical, canonical_source, canonical_tree, no_preprocessor

__all__ = ["Canonical", "canonical_source", "canonical_tree", "no_preprocessor"]
