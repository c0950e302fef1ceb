"""The one reader of ELF: the tables of a relocatable object, and the names that it has and asks for.

In: the bytes of an ELF-64 relocatable object, little-endian, for any machine. Out: a frozen `Elf`, whose tables were
checked to be inside the bytes, or `DamagedObject`. The format: System V gABI, chapters 4 and 5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

__all__ = [
    "DamagedObject",
    "Elf",
    "Relocation",
    "Section",
    "ElfSymbol",
    "called_data",
    "count_code_bytes",
    "read_elf",
    "symbols",
]

# The tables are read with `struct`: they have ten rows each, for which NumPy takes longer.
_HEADER: Final = struct.Struct("<8s8xHH20xQ10xHHH")
_SECTION: Final = struct.Struct("<IIQ8xQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBxHQ8x")
_RELOCATION: Final = struct.Struct("<QIIq")
#: The start of `e_ident` says 64 bits, little-endian, System V; the file type 1 is relocatable.
_IDENT: Final = b"\x7fELF\2\1\1\0"
_RELOCATABLE: Final = 1
#: Types of section that have a meaning here.
NULL, PROGBITS, SYMTAB, RELA, NOTE, NOBITS, UNWIND = 0, 1, 2, 4, 7, 8, 0x70000001
#: Section numbers of symbols that no section defines.
UNDEFINED, ABSOLUTE = 0, 0xFFF1
#: The flag of a section with code; x86-64, and its relocation of calls and jumps (R_X86_64_PLT32).
EXECUTABLE: Final = 0x4
X86_64, CALL = 62, 4
#: The table of addresses is the linker's own symbol, not a library's.
GOT: Final = "_GLOBAL_OFFSET_TABLE_"


class DamagedObject(Exception):  # noqa: N818 - an answer that is expected, no error of anybody's
    """Raised for bytes that are no relocatable object, or that end before a table of theirs does."""


class Section(NamedTuple):
    """A row of the section table."""

    name: int
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    row: int


class ElfSymbol(NamedTuple):
    """A row of the symbol table."""

    name: int
    info: int
    section: int
    value: int

    @property
    def is_local(self) -> bool:
        """Whether no other object sees the symbol (binding `STB_LOCAL`)."""
        return self.info >> 4 == 0


class Relocation(NamedTuple):
    """A row of a relocation table: `offset` is within the section that the table is about."""

    offset: int
    type: int
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class Elf:
    """The tables of an object; `strings` has the names of its symbols, `section_names` those of its sections."""

    data: bytes = field(repr=False)
    machine: int
    sections: Sequence[Section]
    symbols: Sequence[ElfSymbol]
    strings: Section
    section_names: Section

    def name_of(self, symbol: ElfSymbol) -> str:
        """Return the name of a symbol."""
        return self._text(self.strings, symbol.name)

    def section_name(self, section: Section) -> str:
        """Return the name of a section."""
        return self._text(self.section_names, section.name)

    def content(self, section: Section) -> bytes:
        """Return the bytes of a section."""
        return self.data[section.offset : section.offset + section.size]

    def relocations(self, table: Section) -> Iterator[Relocation]:
        """Yield the rows of a relocation table."""
        return (Relocation(*fields) for fields in _rows(self.data, table, _RELOCATION))

    def _text(self, strings: Section, at: int) -> str:
        end = self.data.find(b"\0", strings.offset + at, strings.offset + strings.size)
        require(end >= 0, "a name outside its table")
        return self.data[strings.offset + at : end].decode("ascii", "replace")


def require(condition: bool, otherwise: str) -> None:
    """Raise `DamagedObject` unless a condition holds."""
    if not condition:
        raise DamagedObject(otherwise)


def read_elf(data: bytes) -> Elf:
    """Read the tables of an object; raise `DamagedObject` where they are no ELF."""
    require(len(data) >= _HEADER.size, "not an object")
    ident, kind, machine, at, row, count, names = _HEADER.unpack_from(data)
    require((ident, kind, row) == (_IDENT, _RELOCATABLE, _SECTION.size), "not a relocatable ELF-64 object")
    require(at + count * row <= len(data), "sections outside the file")
    sections = [Section(*fields) for fields in _SECTION.iter_unpack(data[at : at + count * row])]
    for section in sections:
        is_inside = section.type in (NULL, NOBITS) or section.offset + section.size <= len(data)
        require(is_inside, "a section outside the file")
    tables = [section for section in sections if section.type == SYMTAB]
    require(len(tables) == 1 and max(names, tables[0].link) < count, "names or symbols are missing")
    rows = [ElfSymbol(*fields) for fields in _rows(data, tables[0], _SYMBOL)]
    return Elf(data, machine, sections, rows, sections[tables[0].link], sections[names])


def _rows(data: bytes, table: Section, form: struct.Struct) -> Iterator[tuple[Any, ...]]:
    require(table.row == form.size and table.size % form.size == 0, "a table with rows of another size")
    return form.iter_unpack(data[table.offset : table.offset + table.size])


def symbols(data: bytes) -> tuple[set[str], set[str]]:
    """Return the names that an object defines for others, and those that it needs; raise `DamagedObject`."""
    obj = read_elf(data)
    defined: set[str] = set()
    needed: set[str] = set()
    for symbol in obj.symbols:
        if not symbol.is_local and (name := obj.name_of(symbol)) != GOT:
            (needed if symbol.section == UNDEFINED else defined).add(name)
    return defined, needed


def count_code_bytes(data: bytes) -> int:
    """Count the bytes of machine code in an object."""
    return sum(section.size for section in read_elf(data).sections if section.flags & EXECUTABLE)


def called_data(data: bytes) -> list[str]:
    """Return the names that an object for x86-64 calls, or jumps to, and that it has as data."""
    obj = read_elf(data)
    tables = [table for table in obj.sections if table.type == RELA and obj.machine == X86_64]
    targets = {row.symbol for table in tables for row in obj.relocations(table) if row.type == CALL}
    symbols = [obj.symbols[index] for index in sorted(targets) if index < len(obj.symbols)]
    return [obj.name_of(each) or "a table" for each in symbols if _is_data(obj, each)]


def _is_data(obj: Elf, symbol: ElfSymbol) -> bool:
    return 0 < symbol.section < len(obj.sections) and not obj.sections[symbol.section].flags & EXECUTABLE
