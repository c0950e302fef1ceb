"""Memory for code and code generators, of one test alone."""

import pytest

from symbiont_jit.backend import code_memory
from symbiont_jit.backend.codegen import CodeGenerators


@pytest.fixture
def memory(monkeypatch):
    """Code memory with nothing in it; whatever is linked here is closed here."""
    fresh = code_memory.CodeMemory()
    monkeypatch.setattr(code_memory, "CODE_MEMORY", fresh)
    return fresh


@pytest.fixture
def generators():
    """Two code generators at most, of this test alone."""
    fresh = CodeGenerators(2)
    yield fresh
    fresh.close()


@pytest.fixture
def here():
    """No process can be started: code is generated in this one."""
    return CodeGenerators(1, is_refused=True)
