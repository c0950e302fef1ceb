"""A worker that serves what its tests ask for."""

import pytest

from symbiont_jit.isolate.worker import Worker
from tests.isolate.served import answer


@pytest.fixture
def worker():
    """A worker that calls what it is asked: requests are functions of `served`, by name, with arguments."""
    made = Worker(answer)
    yield made
    made.close()
