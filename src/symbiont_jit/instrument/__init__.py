"""Canonical C -> the same C with checks in it."""
