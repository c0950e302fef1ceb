"""The cache of compiled bytes: what it keeps, for how long, and what it makes of damaged files.

Invariants: it never has more bytes than its limit, and of those it was asked for or given last it has as many as fit.
"""

import tempfile
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from symbiont_jit.backend import cache
from symbiont_jit.backend.cache import BITCODE, OBJECTS, _Cache, cache_directory, forget_cached
from symbiont_jit.backend.clang import clang
from tests.backend.compiling import SQUARE, compiled

LIMIT = 40
KEYS = st.sampled_from("abcdef")


class CacheMachine(RuleBasedStateMachine):
    """A cache beside a dictionary in the order of use and a dictionary of files."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.cache, self.used, self.files = _Cache(".x", LIMIT), OrderedDict(), {}

    def teardown(self):
        """Remove the files."""
        self.folder.cleanup()

    def use(self, key, data):
        """Note in the model that a key was used last."""
        self.used[key] = data
        self.used.move_to_end(key)
        while sum(map(len, self.used.values())) > LIMIT:
            self.used.popitem(last=False)

    @rule(key=KEYS, data=st.binary(min_size=1, max_size=LIMIT + 5))
    def put(self, key, data):
        """What is put is kept, in the directory too."""
        self.cache.put(key, data)
        self.used.pop(key, None)
        self.use(key, data)
        if self.cache.directory is not None:
            self.files[key] = data

    @rule(key=KEYS)
    def get(self, key):
        """What is there is found, in memory first."""
        expected = self.used.get(key)
        if expected is None and self.cache.directory is not None:
            expected = self.files.get(key)
        assert self.cache.get(key) == expected
        if expected is not None:
            self.use(key, expected)

    @rule()
    def forget(self):
        """What is in memory goes, files stay."""
        self.cache.forget()
        self.used.clear()

    @rule(is_on=st.booleans())
    def choose_directory(self, is_on):
        """The directory comes and goes."""
        self.cache.directory = Path(self.folder.name) if is_on else None

    @precondition(lambda self: self.files)
    @rule(data=st.data(), at=st.integers(0, 60))
    def damage(self, data, at):
        """A file in which one bit has changed is no file."""
        key = data.draw(st.sampled_from(sorted(self.files)))
        path = Path(self.folder.name) / f"{key}.x"
        stored = bytearray(path.read_bytes())
        stored[at % len(stored)] ^= 1
        path.write_bytes(stored)
        del self.files[key]

    @invariant()
    def it_is_as_full_as_the_model(self):
        """The same keys in the same order, the same size, and the same word on whether there is anything."""
        assert list(self.cache._kept.items()) == list(self.used.items())
        assert self.cache._size == sum(map(len, self.used.values())) <= LIMIT
        assert self.cache.is_empty == (not self.used and self.cache.directory is None)


TestCache = CacheMachine.TestCase
TestCache.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


def test_what_is_too_long_for_the_memory_is_in_the_directory(tmp_path):
    """A directory has whatever was put, also what exceeds the limit."""
    cache = _Cache(".x", 3, tmp_path)
    cache.put("long", b"12345")
    assert (cache._size, cache.get("long"), [path.name for path in tmp_path.iterdir()]) == (0, b"12345", ["long.x"])


def test_a_directory_that_cannot_be_written_costs_nothing(tmp_path):
    """What cannot be written is in memory all the same."""
    cache = _Cache(".x", 10, tmp_path / "gone")
    cache.put("key", b"12345")
    assert cache.get("key") == b"12345"


def test_a_child_begins_anew():
    """After a fork in the middle of a step, nothing is taken for kept."""
    cache = _Cache(".x", 10)
    cache.put("key", b"12345")
    cache.renew()
    assert (cache._size, cache.get("key"), cache.is_empty) == (0, None, True)


@pytest.fixture
def no_directory():
    """The caches of the process without a directory afterwards."""
    yield
    cache_directory(None)


def test_the_caches_of_the_process(tmp_path, no_directory):
    """Object code and bitcode lie in one directory under other names, which is made for its owner alone."""
    folder = tmp_path / "deep" / "cache"
    cache_directory(folder)
    OBJECTS.put("key", b"object")
    BITCODE.put("key", b"bitcode")
    assert {path.name for path in folder.iterdir()} == {"key.o", "key.bc"}
    assert folder.stat().st_mode & 0o777 == 0o700
    forget_cached()
    assert (OBJECTS._size, BITCODE._size) == (0, 0)
    assert (OBJECTS.get("key"), BITCODE.get("key")) == (b"object", b"bitcode")
    cache_directory(None)
    forget_cached()
    assert (OBJECTS.get("key"), BITCODE.get("key"), OBJECTS.limit, BITCODE.limit) == (None, None, 64 << 20, 4 << 20)


def test_equal_text_is_compiled_once(monkeypatch):
    """The cache answers for the same text, flags and profile, and only then."""
    forget_cached()
    first = compiled(SQUARE, "square")
    monkeypatch.setattr(type(clang()), "lower", lambda *_: pytest.fail("compiled again"))
    assert compiled(SQUARE, "square") == first
    with pytest.raises(pytest.fail.Exception):
        compiled(SQUARE, "square", flags=("-O1",))


def test_a_cache_directory_serves_another_process(tmp_path):
    """Object code in a directory is found again, and a damaged file is a miss, not an error."""
    try:
        cache_directory(tmp_path)
        forget_cached()
        code = compiled(SQUARE, "square")
        (file,) = tmp_path.glob("*.o")
        forget_cached()
        assert cache.OBJECTS.get(code.key) == code.data
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        forget_cached()
        assert cache.OBJECTS.get(code.key) is None
        assert compiled(SQUARE, "square").data == code.data
    finally:
        cache_directory(None)


def test_the_cache_of_objects_keeps_thousands_of_them():
    """An object of a megabyte is found again, and so are the smaller ones before it."""
    sizes = {f"{size:064x}": size for size in (10_000, 1 << 20)}
    for key, size in sizes.items():
        OBJECTS.put(key, bytes(size))
    assert [len(OBJECTS.get(key)) for key in sizes] == list(sizes.values())
