"""A kernel whose body a model writes."""

import pytest

from tests.llm.answers import product


@pytest.fixture
def kernel():
    """A new kernel of each test."""
    return product()
