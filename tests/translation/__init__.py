"""Translating Python functions into C."""
