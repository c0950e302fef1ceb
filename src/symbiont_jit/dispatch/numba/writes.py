"""What a compiled function does to the memory behind a parameter, read from LLVM's text of it.

In: a module after optimisation. Out: whether a function stores through a parameter. LLVM says of most parameters that
they are only read or only written; of the others every store is looked at, also in the functions that are called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["writes"]

_NAME: Final = re.compile(r"%[\w.]+")
_DERIVED: Final = re.compile(r"(%[\w.]+) = (?:getelementptr|phi|select|freeze)\b(.*)")
_CALL: Final = re.compile(r"call .*?@([\w.$]+)\((.*)\)")
#: Where a value is stored, and what else writes through a pointer: moves of memory through the first, BLAS through the
#: last one.
_STORED: Final = re.compile(
    r"store\b.*, ptr (%[\w.]+)|@llvm\.masked\.store\S*\(.*?, ptr (?:\w+ )*(%[\w.]+)"
    r"|@llvm\.mem(?:cpy|move|set)\S*\(ptr (?:[\w()]+ )*?(%[\w.]+)|@numba_xxgem[mv]\(.*ptr (?:\w+ )*(%[\w.]+)"
)


@dataclass(frozen=True, slots=True)
class _Function:
    """A function as LLVM prints it: its parameters' names, what is known of each, and its lines."""

    params: tuple[str, ...]
    attributes: tuple[str, ...]
    lines: tuple[str, ...]


def _functions(module: str) -> dict[str, _Function]:
    """The functions that a module's text defines, by name."""
    found = {}
    for match in re.finditer(r"^define .*?@\"?([\w.$]+)\"?\((.*)\).*\{\n((?:.*\n)*?)\}", module, re.MULTILINE):
        given = _split(match[2])
        names = tuple(part.rpartition(" ")[2] for part in given)
        found[match[1]] = _Function(names, tuple(given), tuple(match[3].splitlines()))
    return found


def _split(listed: str) -> list[str]:
    """Parameters or arguments, which commas separate; so do commas in brackets, but those of types."""
    return [part for part in re.split(r", (?![^(\[{]*[)\]}])", listed) if part]


def writes(module: str, symbol: str, parameter: str) -> bool | None:
    """Whether a function of a module stores through a parameter; None where neither LLVM nor any store tells."""
    functions = _functions(module)
    function = functions.get(symbol)
    if function is None or f"%{parameter}" not in function.params:
        return None
    place = function.params.index(f"%{parameter}")
    said = function.attributes[place]
    if "readonly" in said or "readnone" in said:
        return False
    return "writeonly" in said or _stores_through(functions, symbol, place, set()) or None


def _stores_through(functions: Mapping[str, _Function], symbol: str, place: int, seen: set[tuple[str, int]]) -> bool:
    """Whether any line, here or in a function that it calls, stores to an address computed from a parameter."""
    if (symbol, place) in seen or symbol not in functions or place >= len(functions[symbol].params):
        return False
    seen.add((symbol, place))
    lines = functions[symbol].lines
    derived = _derived(lines, functions[symbol].params[place])
    for line in lines:
        stored = _STORED.search(line)
        if stored is not None and stored[stored.lastindex or 0] in derived:
            return True
        call = _CALL.search(line)
        passed = enumerate(_split(call[2])) if call else ()
        if call and any(
            part.rpartition(" ")[2] in derived and _stores_through(functions, call[1], i, seen) for i, part in passed
        ):
            return True
    return False


def _derived(lines: Sequence[str], pointer: str) -> set[str]:
    """The names of all addresses that are computed from one."""
    derived, size = {pointer}, 0
    while size != len(derived):
        size = len(derived)
        made = (_DERIVED.search(line) for line in lines)
        derived |= {m[1] for m in made if m is not None and not derived.isdisjoint(_NAME.findall(m[2]))}
    return derived
