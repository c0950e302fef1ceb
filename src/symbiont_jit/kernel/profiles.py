"""What callers say when they declare a function: the names of the profiles, clang options, what follows a panic."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from symbiont_jit.engine.engine import OnPanic
from symbiont_jit.errors import UsageError
from symbiont_jit.runtime.sources import own_words

__all__ = ["require_flags", "require_on_panic", "require_profile"]

PROFILES: Final = ("safe", "checked", "release")

#: What `-f` and `-fno-` may stand before.
_OPTIMISATIONS: Final = (
    "approx-func associative-math builtin cx-fortran-rules cx-limited-range fast-math finite-loops finite-math-only "
    "honor-infinities honor-nans inline inline-functions jump-tables math-errno merge-all-constants omit-frame-pointer "
    "reciprocal-math rounding-math signed-zeros slp-vectorize strict-aliasing strict-overflow trapping-math "
    "tree-slp-vectorize tree-vectorize unroll-loops unsafe-math-optimizations vectorize wrapv"
).split()
_MACRO: Final = r"-D((?!sj_|SJ_|_)[A-Za-z]\w*)(=[\w.+-]*)?"
#: Families of options of clang, in words, and what they look like.
FLAGS: Final[Mapping[str, str]] = {
    "a level like -O2": r"-O(0|1|2|3|s|z|g|fast)",
    "an optimisation like -ffast-math or -fno-vectorize": rf"-f(no-)?({'|'.join(_OPTIMISATIONS)})",
    "contraction like -ffp-contract=fast": r"-ffp-contract=(off|on|fast|fast-honor-pragmas)",
    "a processor like -march=native or -mtune=skylake": r"-m(arch|tune|cpu)=[\w.+-]+",
    "a feature of it like -mavx2 or -mno-fma":
        r"-m(no-)?(avx|sse|ssse|fma|bmi|f16c|popcnt|lzcnt|movbe|vzeroupper)[\w.-]*",
    "a width like -mprefer-vector-width=256": r"-mprefer-vector-width=(none|128|256|512)",
    "a parameter of the optimiser like -mllvm=-unroll-threshold=200":
        r"-mllvm=-(unroll|inline|force-vector|force-target|slp|vectorize|prefer-inloop|enable-(unroll|loop))[\w-]*(=[\w.-]+)?",
    "a macro like -DNAME=1": _MACRO,
    "warnings like -Wall": r"-W(?!\S*frame)[a-z][\w-]*",
}  # fmt: skip


#: The words of C11, and those that clang understands beside them without an underscore in front.
_KEYWORDS: Final = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof "
    "linux unix i386 complex imaginary".split()
)


def require_profile(name: str | None) -> str:
    """Return a profile's name; raise `UsageError` for one that does not exist."""
    if name is None or name in PROFILES:
        return name or "safe"
    raise UsageError(f"there is no profile {name!r}; use one of {', '.join(PROFILES)}")


def require_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """Return clang options as a tuple; raise `UsageError` for anything else, or for an option of no known family.

    Options that change what clang writes (`-S`, `-flto`, `-m32`), where it reads or how code is placed would make its
    output something else than the bitcode that is waited for.
    """
    if isinstance(flags, str) or not all(isinstance(f, str) for f in flags):
        raise UsageError(f"flags is a list of clang options like ['-O2'], not {flags!r}")
    for flag in flags:
        macro = re.fullmatch(_MACRO, flag)
        if macro and macro[1] in _KEYWORDS | own_words():
            raise UsageError(
                f"flags may not define {macro[1]!r}, which is a word of C, or of the checks around a candidate: "
                "give the macro a name of its own, in capitals"
            )
        if not any(re.fullmatch(pattern, flag) for pattern in FLAGS.values()):
            raise UsageError(f"flags may have {'; '.join(FLAGS)}; {flag!r:.80} is none of these")
    return tuple(flags)


def require_on_panic(name: str) -> OnPanic:
    """Return what follows a panic; raise `UsageError` for anything else."""
    try:
        return OnPanic(name)
    except ValueError:
        raise UsageError(f"there is no on_panic={name!r}; use one of {', '.join(OnPanic)}") from None
