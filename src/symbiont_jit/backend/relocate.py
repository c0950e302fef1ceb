"""ELF object -> the bytes of its code at an address, with every relocation done.

In: an ELF-64 relocatable object for x86-64. Out: a `Layout`, which says how much room the code needs and makes its
bytes for the address that it gets. What is not in the tables below is `CannotLink`; LLVM's linker knows more. The
rules: AMD64 supplement of the System V ABI (psABI), section 4.4, "Relocation".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from symbiont_jit.backend import elf
from symbiont_jit.backend.elf import Elf, Relocation, Section, read_elf

__all__ = ["CannotLink", "GRAIN", "Layout", "TRAP", "lay_out"]

#: Within this size an object reaches all of itself with 32-bit displacements.
MAX_SIZE: Final = 1 << 30
MAX_ALIGN: Final = 1 << 21
#: Code starts at multiples of this. It is a cache line: one revision runs as fast wherever it lies.
GRAIN: Final = 64
#: The byte that fills gaps is a breakpoint.
TRAP: Final = b"\xcc"

#: Types of section that may be there. Besides those with names, 3 is a table of strings, 17 a group, and the last one
#: LLVM's significant addresses.
_SECTION_TYPES: Final = {
    *(elf.NULL, elf.PROGBITS, elf.SYMTAB, elf.RELA, elf.NOTE, elf.NOBITS, elf.UNWIND),
    *(3, 17, 0x6FFF4C03),
}
#: Flags of a section: written to, in memory, and what changes nothing here: executable, merge, strings, link
#: information, link order, group, retain, large. Not among them: thread-local, compressed.
_WRITE, _ALLOC = 0x1, 0x2
_HARMLESS: Final = _ALLOC | 0x4 | 0x10 | 0x20 | 0x40 | 0x80 | 0x200 | 0x200000 | 0x10000000
#: Types of symbol that are code or data; the next are common, thread-local and indirect functions.
_PLAIN_SYMBOLS: Final = range(5)


class _Rule(NamedTuple):
    """The rule for a type of relocation: `field` becomes `plus` + addend - `minus`."""

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
    """Raised for an object that is damaged or needs something unknown here, or where there is no memory for it."""


class _Fix(NamedTuple):
    """A relocation that is to be done at an offset of the code."""

    offset: int
    rule: _Rule
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of an object's sections and of its symbols' slots in the code: offsets, by index.

    `size` bytes are needed, at a multiple of `align`; `got` is the offset of the first slot.
    """

    obj: Elf
    fixes: Sequence[_Fix]
    offsets: Mapping[int, int]
    slots: Mapping[int, int]
    got: int
    size: int
    align: int

    def index_of(self, name: str) -> int:
        """Return the symbol of a function that the object has for others."""
        for index, symbol in enumerate(self.obj.symbols):
            is_offered = not symbol.is_local and symbol.section in self.offsets
            if is_offered and self.obj.name_of(symbol) == name:
                return index
        raise CannotLink(f"no function {name!r}")

    def addresses(self, chosen: Iterable[int], start: int, address_of: Callable[[str], int]) -> Mapping[int, int]:
        """Return what the chosen symbols and all that relocations name stand for when the code is at `start`."""
        return {i: self._address(i, start, address_of) for i in {*chosen, *(fix.symbol for fix in self.fixes)}}

    def _address(self, index: int, start: int, address_of: Callable[[str], int]) -> int:
        symbol = self.obj.symbols[index]
        _require(symbol.info & 0xF in _PLAIN_SYMBOLS, f"a symbol of type {symbol.info & 0xF}")
        if symbol.section in self.offsets:
            _require(symbol.value <= self.obj.sections[symbol.section].size, "a symbol outside its section")
            return start + self.offsets[symbol.section] + symbol.value
        if index == 0 or symbol.section == elf.ABSOLUTE:  # Symbol 0 is the number 0.
            return symbol.value
        _require(symbol.section == elf.UNDEFINED, f"a symbol of section {symbol.section:#x}")
        name = self.obj.name_of(symbol)
        return start + self.got if name == elf.GOT else address_of(name)

    def code(self, start: int, address: Mapping[int, int]) -> bytes:
        """Return the bytes for an address, given those of the symbols: sections and slots, all relocations done."""
        code = bytearray(TRAP) * self.size
        for index, offset in self.offsets.items():
            section = self.obj.sections[index]
            code[offset : offset + section.size] = self.obj.content(section)
        for symbol, offset in self.slots.items():
            code[offset : offset + _SLOT] = _U64.pack(address[symbol] % (1 << 64)) + _STUB
        slot = {symbol: start + offset for symbol, offset in self.slots.items()}
        stub = {symbol: at + 8 for symbol, at in slot.items() if self.obj.symbols[symbol].section not in self.offsets}
        plus = {"S": address, "L": {**address, **stub}, "G": slot}
        for offset, rule, symbol, addend in self.fixes:
            value = plus[rule.plus][symbol] + addend - {"": 0, "P": start + offset, "GOT": start + self.got}[rule.minus]
            rule.field.pack_into(code, offset, value % (1 << 64) if rule.field is _U64 else value)
        return bytes(code)


def lay_out(data: bytes) -> Layout:
    """Lay out an object; raise `DamagedObject`, or `CannotLink` for an object of another kind."""
    obj = read_elf(data)
    _require(obj.machine == elf.X86_64, "not an object for x86-64")
    for section in obj.sections:
        _require(section.type in _SECTION_TYPES, f"a section of type {section.type:#x}")
    loaded = {
        index: section
        for index, section in enumerate(obj.sections)
        if section.flags & _ALLOC and _is_needed(section, obj.section_name(section))
    }
    offsets, end, align = _offsets(loaded)
    fixes: list[_Fix] = []
    for table in obj.sections:
        if table.type == elf.RELA and table.info in loaded:
            fixes += _fixes(obj.relocations(table), offsets[table.info], loaded[table.info].size, len(obj.symbols))
    slots: dict[int, int] = {}
    for fix in fixes:
        if fix.rule.plus == "G" or (fix.rule.plus == "L" and obj.symbols[fix.symbol].section not in offsets):
            slots.setdefault(fix.symbol, end + _SLOT * len(slots))
    size = round_up(max(end + _SLOT * len(slots), 1), GRAIN)
    return Layout(obj, fixes, offsets, slots, end, size, align)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise CannotLink(otherwise)


def _is_needed(section: Section, name: str) -> bool:
    """Whether a section in memory has to be there: all but notes and tables for unwinding."""
    if section.type in (elf.NOTE, elf.UNWIND) or name == ".eh_frame":
        return False
    # What only relocations write to is as constant as the rest.
    allowed = _HARMLESS | _WRITE if name.startswith(".data.rel.ro") else _HARMLESS
    is_known = section.type == elf.PROGBITS and not section.flags & ~allowed
    _require(is_known or section.size == 0, f"section {name!r}")
    return True


def _offsets(sections: Mapping[int, Section]) -> tuple[dict[int, int], int, int]:
    """Return each section's offset, the end of all, the greatest alignment; the widest come first, which saves gaps."""
    offsets: dict[int, int] = {}
    end, widest = 0, GRAIN
    for index, section in sorted(sections.items(), key=lambda item: -item[1].align):
        align = max(section.align, 1)
        _require(align & (align - 1) == 0 and align <= MAX_ALIGN, f"an alignment of {align}")
        offsets[index] = round_up(end, align)
        end, widest = offsets[index] + section.size, max(widest, align)
        _require(end <= MAX_SIZE, f"more than {MAX_SIZE >> 20} MiB")
    return offsets, round_up(end, _SLOT), widest


def _fixes(rows: Iterable[Relocation], base: int, size: int, symbols: int) -> Iterator[_Fix]:
    """Yield the relocations of a section of `size` bytes that will be at the offset `base`."""
    for row in rows:
        if row.type == 0:  # R_X86_64_NONE changes nothing.
            continue
        _require(row.type in _RULES, f"a relocation of type {row.type}")
        _require(row.offset + _RULES[row.type].field.size <= size, "a relocation outside its section")
        _require(row.symbol < symbols, "a symbol outside its table")
        yield _Fix(base + row.offset, _RULES[row.type], row.symbol, row.addend)


def round_up(number: int, multiple: int) -> int:
    """Return the least multiple that is not less than a number."""
    return -(-number // multiple) * multiple
