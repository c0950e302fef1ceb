"""Canonical C -> object code -> an address in this process: clang and llvmlite."""
