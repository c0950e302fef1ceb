"""Object code -> machine code that takes no more memory than itself, beside code that other threads are inside of.

In: an ELF-64 relocatable object for x86-64, the names of its entries, and a function that knows the address of every
name the object leaves to others. Out: `Linked`. What is not in the tables below is `CannotLink`; LLVM's linker knows
more. The format: System V gABI, chapters 4 and 5, and its AMD64 supplement (psABI), section 4.4, "Relocation".
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import struct
import threading
from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

__all__ = ["CannotLink", "Linked", "link"]

#: Bytes that the arena asks the system for at a time.
CHUNK: Final = 1 << 20
#: Within this size an object reaches all of itself with 32-bit displacements.
MAX_SIZE: Final = 1 << 30
MAX_ALIGN: Final = 1 << 21
#: What places in the arena are multiples of. A cache line: one revision runs as fast wherever it lies.
GRAIN: Final = 64
#: What bytes without a use are: breakpoints.
TRAP: Final = b"\xcc"

# The tables are read with `struct`: they have ten rows each, for which NumPy takes longer.
_HEADER: Final = struct.Struct("<8s8xHH20xQ10xHHH")
_SECTION: Final = struct.Struct("<IIQ8xQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBxHQ8x")
_RELOCATION: Final = struct.Struct("<QIIq")
#: Start of e_ident, e_type, e_machine: 64 bits, little-endian, System V; relocatable; x86-64.
_KIND: Final = [b"\x7fELF\2\1\1\0", 1, 62]
_NULL, _PROGBITS, _SYMTAB, _RELA, _NOTE, _NOBITS, _UNWIND = 0, 1, 2, 4, 7, 8, 0x70000001
#: Types of section that may be there; besides those strings, group and LLVM's significant addresses.
_SECTION_TYPES: Final = {_NULL, _PROGBITS, _SYMTAB, _RELA, _NOTE, _NOBITS, _UNWIND, 3, 17, 0x6FFF4C03}
#: Flags of a section: written to, in memory, and what changes nothing here: executable, merge, strings, link
#: information, link order, group, retain, large. Not among them: thread-local, compressed.
_WRITE, _ALLOC = 0x1, 0x2
_HARMLESS: Final = _ALLOC | 0x4 | 0x10 | 0x20 | 0x40 | 0x80 | 0x200 | 0x200000 | 0x10000000
_UNDEFINED, _ABSOLUTE = 0, 0xFFF1
#: Types of symbol that are code or data; the next are common, thread-local and indirect functions.
_PLAIN_SYMBOLS: Final = range(5)
_GOT: Final = "_GLOBAL_OFFSET_TABLE_"


class _Rule(NamedTuple):
    """How a relocation is done: `field` becomes `plus` + addend - `minus`."""

    field: struct.Struct
    plus: str
    minus: str


_I32, _U32, _U64 = struct.Struct("<i"), struct.Struct("<I"), struct.Struct("<Q")
#: The psABI's table of relocation types, R_X86_64_*. S: the symbol. P: the place. L: the symbol, or the stub that jumps
#: to it. G: the symbol's slot (the psABI's G + GOT). GOT: the first slot, which GOTPC* name as their symbol.
_RULES: Final[Mapping[int, _Rule]] = {
    1: _Rule(_U64, "S", ""),  # 64
    2: _Rule(_I32, "S", "P"),  # PC32
    4: _Rule(_I32, "L", "P"),  # PLT32
    10: _Rule(_U32, "S", ""),  # 32, and below 32S: clang with -fno-pic; they fit an absolute symbol only
    11: _Rule(_I32, "S", ""),
    **dict.fromkeys((9, 41, 42, 43), _Rule(_I32, "G", "P")),  # GOTPCREL, GOTPCRELX, and the same with REX and REX2
    24: _Rule(_U64, "S", "P"),  # PC64, and below GOTOFF64, GOTPC32, GOT64, GOTPC64: clang with -mcmodel=medium, large
    25: _Rule(_U64, "S", "GOT"),
    26: _Rule(_I32, "S", "P"),
    27: _Rule(_U64, "G", "GOT"),
    29: _Rule(_U64, "S", "P"),
}
#: A slot is an address and, 8 bytes on, the stub that jumps there: `jmp *-14(%rip)`.
_SLOT: Final = 16
_STUB: Final = b"\xff\x25\xf2\xff\xff\xff" + 2 * TRAP


class CannotLink(Exception):  # noqa: N818 - an answer that is expected, no error of anybody's
    """The object is damaged or needs something that is not known here, or there is no memory for it."""


@dataclass(slots=True, eq=False)
class Linked:
    """Machine code: the address of each entry, in the order asked for, and the bytes that it takes."""

    addresses: tuple[int, ...]
    size: int
    _start: int = field(repr=False)
    _chunk: _Chunk | None = field(repr=False)

    def close(self) -> None:
        """Give the memory back; the caller's promise that nobody is inside. A second time does nothing."""
        _ARENA.give(self)


def link(data: bytes, entries: Sequence[str], address_of: Callable[[str], int]) -> Linked:
    """Put an object at an address; `address_of` is asked for what it leaves undefined, and what that raises passes.

    Raises `CannotLink` for an object that is damaged or not of the kind this module knows.
    """
    obj = _read(data)
    chosen = [obj.index_of(name) for name in entries]
    linked = _ARENA.take(obj.size, obj.align)
    try:
        address = {i: obj.address(i, linked._start, address_of) for i in {*chosen, *(f.symbol for f in obj.fixes)}}
        _ARENA.write(linked, _code(obj, linked._start, address))
    except BaseException as error:
        linked.close()
        if isinstance(error, (struct.error, MemoryError)):  # a field is too narrow; the code does not fit here twice
            raise CannotLink(f"no room: {error!r}") from error
        raise
    linked.addresses = tuple(address[index] for index in chosen)
    return linked


def _code(obj: _Object, start: int, address: Mapping[int, int]) -> bytes:
    """The bytes for an address, given those of the symbols: sections and slots, with every relocation done."""
    code = bytearray(TRAP) * obj.size
    for index, offset in obj.offsets.items():
        section = obj.sections[index]
        code[offset : offset + section.size] = obj.data[section.offset : section.offset + section.size]
    for symbol, offset in obj.slots.items():
        code[offset : offset + _SLOT] = _U64.pack(address[symbol] % (1 << 64)) + _STUB
    slot = {symbol: start + offset for symbol, offset in obj.slots.items()}
    stub = {symbol: at + 8 for symbol, at in slot.items() if obj.symbols[symbol].section not in obj.offsets}
    plus = {"S": address, "L": {**address, **stub}, "G": slot}
    for offset, rule, symbol, addend in obj.fixes:
        value = plus[rule.plus][symbol] + addend - {"": 0, "P": start + offset, "GOT": start + obj.got}[rule.minus]
        rule.field.pack_into(code, offset, value % (1 << 64) if rule.field is _U64 else value)
    return bytes(code)


# -- the object -------------------------------------------------------------------------------------------------------


class _Section(NamedTuple):
    name: int
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    row: int


class _Symbol(NamedTuple):
    name: int
    info: int
    section: int
    value: int


class _Fix(NamedTuple):
    """A relocation that is to be done at an offset of the code."""

    offset: int
    rule: _Rule
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class _Object:
    """An object's tables, and the offsets that its sections in memory and the slots of symbols will have, by index."""

    data: bytes
    sections: Sequence[_Section]
    symbols: Sequence[_Symbol]
    strings: _Section
    fixes: Sequence[_Fix]
    offsets: Mapping[int, int]
    slots: Mapping[int, int]
    got: int
    size: int
    align: int

    def index_of(self, name: str) -> int:
        """The symbol of a function that the object has for others."""
        for index, symbol in enumerate(self.symbols):
            is_offered = symbol.info >> 4 and symbol.section in self.offsets
            if is_offered and _text(self.data, self.strings, symbol.name) == name:
                return index
        raise CannotLink(f"no function {name!r}")

    def address(self, index: int, start: int, address_of: Callable[[str], int]) -> int:
        """What a symbol stands for when the object is at `start`."""
        at, info, section, value = self.symbols[index]
        _require(info & 0xF in _PLAIN_SYMBOLS, f"a symbol of type {info & 0xF}")
        if section in self.offsets:
            _require(value <= self.sections[section].size, "a symbol outside its section")
            return start + self.offsets[section] + value
        if index == 0 or section == _ABSOLUTE:  # symbol 0 is the number 0
            return value
        _require(section == _UNDEFINED, f"a symbol of section {section:#x}")
        name = _text(self.data, self.strings, at)
        return start + self.got if name == _GOT else address_of(name)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise CannotLink(otherwise)


def _read(data: bytes) -> _Object:
    """The tables of an object, checked to be inside it, and its layout."""
    _require(len(data) >= _HEADER.size, "not an object")
    *kind, at, row, count, names = _HEADER.unpack_from(data)
    _require(kind == _KIND and row == _SECTION.size, "not a relocatable ELF object for x86-64")
    _require(at + count * row <= len(data), "sections outside the file")
    sections = [_Section(*fields) for fields in _SECTION.iter_unpack(data[at : at + count * row])]
    for section in sections:
        _require(section.type in _SECTION_TYPES, f"a section of type {section.type:#x}")
        inside = section.type in (_NULL, _NOBITS) or section.offset + section.size <= len(data)
        _require(inside, "a section outside the file")
    tables = [section for section in sections if section.type == _SYMTAB]
    _require(len(tables) == 1 and max(names, tables[0].link) < count, "names or symbols are missing")
    symbols = [_Symbol(*fields) for fields in _rows(data, tables[0], _SYMBOL)]
    loaded = {
        index: section
        for index, section in enumerate(sections)
        if section.flags & _ALLOC and _is_needed(section, _text(data, sections[names], section.name))
    }
    offsets, end, align = _layout(loaded)
    fixes: list[_Fix] = []
    for table in sections:
        if table.type == _RELA and table.info in loaded:
            fixes += _fixes(_rows(data, table, _RELOCATION), offsets[table.info], loaded[table.info].size, len(symbols))
    slots: dict[int, int] = {}
    for fix in fixes:
        if fix.rule.plus == "G" or (fix.rule.plus == "L" and symbols[fix.symbol].section not in offsets):
            slots.setdefault(fix.symbol, end + _SLOT * len(slots))
    size = _up(max(end + _SLOT * len(slots), 1), GRAIN)
    return _Object(data, sections, symbols, sections[tables[0].link], fixes, offsets, slots, end, size, align)


def _rows(data: bytes, table: _Section, form: struct.Struct) -> Iterator[tuple[Any, ...]]:
    _require(table.row == form.size and table.size % form.size == 0, "a table with rows of another size")
    return form.iter_unpack(data[table.offset : table.offset + table.size])


def _text(data: bytes, strings: _Section, at: int) -> str:
    end = data.find(b"\0", strings.offset + at, strings.offset + strings.size)
    _require(end >= 0, "a name outside its table")
    return data[strings.offset + at : end].decode("ascii", "replace")


def _is_needed(section: _Section, name: str) -> bool:
    """Whether a section in memory has to be there: all but notes and tables for unwinding."""
    if section.type in (_NOTE, _UNWIND) or name == ".eh_frame":
        return False
    # What only relocations write to is as constant as the rest.
    allowed = _HARMLESS | _WRITE if name.startswith(".data.rel.ro") else _HARMLESS
    known = section.type == _PROGBITS and not section.flags & ~allowed
    _require(known or section.size == 0, f"section {name!r}")
    return True


def _layout(sections: Mapping[int, _Section]) -> tuple[dict[int, int], int, int]:
    """The offset of each section, the end of all, the greatest alignment; the widest come first, which saves gaps."""
    offsets: dict[int, int] = {}
    end, widest = 0, GRAIN
    for index, section in sorted(sections.items(), key=lambda item: -item[1].align):
        align = max(section.align, 1)
        _require(align & (align - 1) == 0 and align <= MAX_ALIGN, f"an alignment of {align}")
        offsets[index] = _up(end, align)
        end, widest = offsets[index] + section.size, max(widest, align)
        _require(end <= MAX_SIZE, f"more than {MAX_SIZE >> 20} MiB")
    return offsets, _up(end, _SLOT), widest


def _fixes(rows: Iterable[tuple[Any, ...]], base: int, size: int, symbols: int) -> Iterator[_Fix]:
    """The relocations of a section of `size` bytes that will be at an offset."""
    for offset, kind, symbol, addend in rows:
        if kind == 0:  # NONE
            continue
        _require(kind in _RULES, f"a relocation of type {kind}")
        _require(offset + _RULES[kind].field.size <= size, "a relocation outside its section")
        _require(symbol < symbols, "a symbol outside its table")
        yield _Fix(base + offset, _RULES[kind], symbol, addend)


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


# -- the memory -------------------------------------------------------------------------------------------------------

# `PyDLL` keeps the interpreter's lock: these calls are shorter than getting it back from a busy thread.
_LIBC: Final = ctypes.PyDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_LIBC.memmove.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_MAP_FAILED: Final = ctypes.c_void_p(-1).value
#: Private: a worker process is forked with this memory and must not write into its parent's.
_PRIVATE: Final = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_RUN: Final = mmap.PROT_READ | mmap.PROT_EXEC


@dataclass(slots=True, eq=False)
class _Chunk:
    """Memory from the system, and the ranges of it that nobody has: ascending, and never one beside another."""

    start: int
    end: int
    free: list[tuple[int, int]]

    def take(self, size: int, align: int) -> int | None:
        """The start of a range that was free, the first that fits."""
        for index, (low, high) in enumerate(self.free):
            start = _up(low, align)
            if start + size <= high:
                rest = ((low, start), (start + size, high))
                self.free[index : index + 1] = [(a, b) for a, b in rest if a < b]
                return start
        return None

    def give(self, low: int, high: int) -> None:
        """Make a range free and one with its neighbours."""
        index = bisect(self.free, (low, high))
        if index < len(self.free) and self.free[index][0] == high:
            high = self.free.pop(index)[1]
        if index and self.free[index - 1][1] == low:
            index -= 1
            low = self.free.pop(index)[0]
        self.free.insert(index, (low, high))


@dataclass(slots=True)
class _Arena:
    """All chunks. One lock for everything: what one thread makes writable the other must not close while it writes."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    chunks: list[_Chunk] = field(default_factory=list)
    given: deque[Linked] = field(default_factory=deque)
    refusal: str = ""

    def take(self, size: int, align: int) -> Linked:
        """A place that nobody else gets until it is given back."""
        with self.lock:
            self._free_given()
            _require(not self.refusal, self.refusal)
            for chunk in self.chunks:
                start = chunk.take(size, align)
                if start is not None:
                    return Linked((), size, start, chunk)
            chunk = self._map(_up(max(size + align, CHUNK), mmap.PAGESIZE))
            start = chunk.take(size, align)
            assert start is not None
            return Linked((), size, start, chunk)

    def write(self, place: Linked, code: bytes) -> None:
        """Fill a place."""
        assert len(code) == place.size
        with self.lock:
            self._fill(place, code)

    def give(self, place: Linked) -> None:
        """Take a place back: now or, where somebody is at work here, before the next one is taken.

        It never waits, because a finaliser may call it in the very thread that has the lock.
        """
        self.given.append(place)
        if self.lock.acquire(blocking=False):
            try:
                self._free_given()
            finally:
                self.lock.release()

    def _free_given(self) -> None:
        while self.given:
            place = self.given.popleft()
            chunk, place._chunk = place._chunk, None
            if chunk is None:
                continue
            chunk.give(place._start, place._start + place.size)
            size = chunk.end - chunk.start
            # One chunk stays, for an object that comes and goes alone; but no great one.
            if chunk.free == [(chunk.start, chunk.end)] and (len(self.chunks) > 1 or size > CHUNK):
                self.chunks.remove(chunk)
                _LIBC.munmap(chunk.start, size)
            else:
                with contextlib.suppress(CannotLink):
                    self._fill(place, TRAP * place.size)

    def _map(self, size: int) -> _Chunk:
        start = _LIBC.mmap(None, size, _RUN, _PRIVATE, -1, 0)
        if start == _MAP_FAILED:
            raise self._failure("mmap")
        self.chunks.append(_Chunk(start, start + size, [(start, start + size)]))
        return self.chunks[-1]

    def _fill(self, place: Linked, code: bytes) -> None:
        """Write to pages that stay executable meanwhile, because threads are inside of other code there."""
        start = place._start // mmap.PAGESIZE * mmap.PAGESIZE
        size = _up(place._start + place.size, mmap.PAGESIZE) - start
        if _LIBC.mprotect(start, size, _RUN | mmap.PROT_WRITE) != 0:
            raise self._failure("mprotect")
        _LIBC.memmove(place._start, code, len(code))
        if _LIBC.mprotect(start, size, _RUN) != 0:
            raise self._failure("mprotect")

    def _failure(self, call: str) -> CannotLink:
        number = ctypes.get_errno()
        message = f"{call}: {os.strerror(number)}"
        if number in (errno.EACCES, errno.EPERM):  # a rule of this system; a lack of memory may pass
            self.refusal = message
        return CannotLink(message)


_ARENA: Final = _Arena()
# No fork while a thread is at work in the arena: a child gets it whole and its lock free.
os.register_at_fork(before=_ARENA.lock.acquire, after_in_parent=_ARENA.lock.release, after_in_child=_ARENA.lock.release)
