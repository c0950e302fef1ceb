"""What machine code runs on, in a few words: for models, who write for the caches and vectors that there are.

In: what the system and the toolchain say. Out: a `Machine`; what nobody says is left out of its words.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symbiont_jit.backend.toolchain import find_toolchain, target_cpu, target_features
from symbiont_jit.uninterrupted import once

__all__ = ["Machine", "describe_machine"]

_CACHES: Final = Path("/sys/devices/system/cpu/cpu0/cache")
#: The widths of vectors in bits, by the feature of a processor that has them, the widest first.
_WIDTHS: Final[Mapping[str, int]] = {"+avx512f": 512, "+avx": 256, "+sse2": 128, "+neon": 128}


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor and the compiler for it.

    Attributes:
        compiler: The compiler and its version.
        processor: The processor's name.
        vector_bits: The width of its widest vectors; 0 where that is not known.
        caches: The sizes of its caches by their names, as the system writes them.
    """

    compiler: str
    processor: str
    vector_bits: int
    caches: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        vectors = [f"{self.vector_bits}-bit vectors"] if self.vector_bits else []
        parts = ", ".join([*vectors, *(f"{size} {name}" for name, size in self.caches)])
        return f"{self.processor}: {parts}" if parts else self.processor


@once
def describe_machine() -> Machine:
    """Describe the machine of this process."""
    version = ".".join(map(str, find_toolchain().version[:2]))
    features = target_features()
    bits = next((width for name, width in _WIDTHS.items() if name in features), 0)
    return Machine(f"clang {version}", _find_processor(), bits, tuple(_find_caches().items()))


def _find_processor() -> str:
    """Find the processor's name, which for machines without one is that of its kind, as LLVM calls it."""
    with contextlib.suppress(OSError):
        found = re.search(r"(?m)^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text())
        if found is not None:
            return " ".join(f"{found[1]} ({target_cpu()})".split())
    return target_cpu()


def _find_caches() -> dict[str, str]:
    """Find the sizes of the caches for data, of which the innermost is called `L1d`."""
    found = {}
    for folder in sorted(_CACHES.glob("index*")):
        with contextlib.suppress(OSError):
            level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
            if kind != "Instruction":
                found[f"L{level}d" if kind == "Data" else f"L{level}"] = _spell_size(size)
    return found


def _spell_size(size: str) -> str:
    """Spell `32768K` as 32 MiB."""
    kib = int(size.removesuffix("K")) if size.endswith("K") and size[:-1].isdecimal() else 0
    if not kib:
        return size
    return f"{kib // 1024} MiB" if kib % 1024 == 0 else f"{kib} KiB"
