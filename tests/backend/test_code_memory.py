"""Executable memory: room is used again, given back, never shared, and refused by the system."""

import ctypes
import itertools
import resource
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiont_jit.backend import code_memory
from symbiont_jit.backend.linker import CannotLink, link
from tests.backend.linking import CASES, ENTRY, SQUARE, compiled, library, linked


def executable(address=None):
    """The bytes of anonymous memory that can be run, or of those the ones around an address; none can be written."""
    total = 0
    with open("/proc/self/maps") as file:
        for line in file:
            span, rights, _, _, inode, *_ = line.split()
            low, high = (int(end, 16) for end in span.split("-"))
            if rights[2] == "x" and inode == "0" and (address is None or low <= address < high):
                assert rights == "r-xp" or address is None
                total += high - low
    return total


@pytest.mark.slow
def test_thousands_of_objects_take_the_size_of_their_code(memory):
    """An object of a KiB costs its sections and slots, not a page of its own."""
    data = compiled(CASES["library"][0])
    codes = [link(data, ["f"], library) for _ in range(3000)]
    assert max(code.size for code in codes) < 1 << 10
    assert len({code.addresses for code in codes}) == 3000
    assert len(memory.chunks) == -(-sum(code.size for code in codes) // code_memory.CHUNK)
    assert {ENTRY(code.addresses[0])(3, 0.5) for code in codes} == {CASES["library"][1](3, 0.5)}
    for code in codes:
        code.close()


def test_room_is_used_again(memory):
    """A closed object leaves breakpoints, and the next of its size takes its place."""
    first, second, third = (linked(SQUARE) for _ in range(3))
    address = second.addresses[0]
    second.close()
    assert ctypes.string_at(address, second.size) == b"\xcc" * second.size
    assert ENTRY(first.addresses[0])(0, 3.0) == ENTRY(third.addresses[0])(0, 3.0) == 9.0
    again = linked(SQUARE)
    assert again.addresses == (address,)
    assert ENTRY(address)(0, 3.0) == 9.0
    for code in (first, third, again):
        code.close()


def test_closing_twice_does_nothing(memory):
    """The second time does not take the place from whoever has it now."""
    first = linked(SQUARE)
    first.close()
    second = linked(SQUARE)
    assert second.addresses == first.addresses
    first.close()
    assert ENTRY(second.addresses[0])(0, 3.0) == 9.0
    third = linked(SQUARE)
    assert third.addresses != second.addresses
    for code in (second, third):
        code.close()


def test_a_chunk_goes_with_its_last_object(memory):
    """Memory is given back to the system, except the last chunk; and none of it can be written meanwhile."""
    before = executable()
    text = "static const char table[100000] = {1}; double f(int64_t k, double x) { return table[k]; }"
    codes = [linked(text) for _ in range(25)]
    assert len(memory.chunks) == 3
    assert executable() - before == 3 * code_memory.CHUNK
    assert all(executable(code.addresses[0]) for code in codes)
    for code in codes:
        code.close()
    assert len(memory.chunks) == 1
    assert executable() - before == code_memory.CHUNK


@pytest.mark.slow
def test_a_big_object_has_a_chunk_of_its_own(memory):
    """An object of more than a chunk is linked, found right and given back whole."""
    text = f"static const char table[{2 << 20}] = {{[{(2 << 20) - 1}] = 42}};"
    code = linked(text + "double f(int64_t k, double x) { return table[k]; }")
    assert code.size > 2 << 20
    assert [ENTRY(code.addresses[0])(k, 0) for k in (0, (2 << 20) - 1)] == [0, 42]
    code.close()
    assert memory.chunks == []
    assert not executable(code.addresses[0])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 200_000), st.sampled_from([64, 256, 4096]), st.integers(0, 5)), max_size=60))
def test_places_never_overlap(steps):
    """Whatever is taken and given back, places are apart and aligned, and in the end all is one range again."""
    memory, held = code_memory.CodeMemory(), []
    for size, align, closes in steps:
        held.append(memory.take(-(-size // 64) * 64, align))
        assert held[-1].start % align == 0
        ranges = sorted((place.start, place.start + place.size) for place in held)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(ranges))
        for _ in range(min(closes - 3, len(held))):
            memory.give(held.pop(size % len(held)))
    for place in held:
        memory.give(place)
    assert [chunk.free for chunk in memory.chunks] == [[(chunk.start, chunk.end)] for chunk in memory.chunks]
    assert len(memory.chunks) <= 1


def test_where_the_system_refuses_it_is_asked_once():
    """A process that may not make memory both writable and executable cannot link, and remembers why."""
    code = """
        import ctypes, sys
        from symbiont_jit.backend import code_memory, linker
        data = sys.stdin.buffer.read()
        if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0:  # PR_SET_MDWE, Linux 6.3
            sys.exit(77)
        for _ in range(2):
            try:
                linker.link(data, ["f"], None)
            except linker.CannotLink as error:
                print(error, code_memory.CODE_MEMORY.refusal, end=" \\n")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], input=compiled(SQUARE), capture_output=True)
    if done.returncode == 77:
        pytest.skip("this kernel has no such rule")
    assert done.stdout.decode().splitlines() == ["mprotect: Permission denied " * 2] * 2, done.stderr


@pytest.mark.slow
def test_a_lack_of_memory_passes(memory):
    """Without memory an object cannot be linked; with memory again it can."""
    text = f"static const char table[{8 << 20}] = {{1}}; double f(int64_t k, double x) {{ return table[k]; }}"
    data = compiled(text)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 20, limits[1]))
    try:
        with pytest.raises(CannotLink):
            link(data, ["f"], library)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    code = link(data, ["f"], library)
    assert ENTRY(code.addresses[0])(0, 0) == 1
    code.close()
