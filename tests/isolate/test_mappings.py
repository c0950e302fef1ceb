"""Memory that a worker shares with others: what the system says where it maps nothing."""

from symbiont_jit.isolate.mappings import FAILED, memory_library


def test_what_a_mapping_that_fails_returns():
    """A mapping of nothing is refused, and the address that comes back is the one that means so."""
    assert memory_library().mmap(None, 0, 0, 0, -1, 0) == FAILED
