"""Agents see no key of the person who runs the tests."""

import pytest


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No test depends on the keys of the person who runs it."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
