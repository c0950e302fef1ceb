"""What Python and Numba mean by operations that C does otherwise, in C: `floor_div`, `power_int64`, `maximum`.

In: the names of helpers that a text calls. Out: their definitions, each behind those that it calls itself. Each says
what Numba's own implementation says, in the same order, because the last bit depends on that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from symbiont_jit.signature import SCALARS

__all__ = ["define_helpers"]

_FLOOR_DIV: Final = """\
static inline {T} {name}({T} a, {T} b)
{{
    {T} quotient = a / b;
    return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}}
"""

_FLOOR_MOD: Final = """\
static inline {T} {name}({T} a, {T} b)
{{
    {T} rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}}
"""

_OR_ZERO: Final = """\
static inline {T} {name}({T} a, {T} b)
{{
    return b == 0 ? 0 : {inner};
}}
"""

_REAL_FLOOR_MOD: Final = """\
static inline {T} {name}({T} a, {T} b)
{{
    {T} rest = fmod{f}(a, b);
    if (b == 0)
        return rest;
    if (rest == 0)
        return b < 0 ? -0.0{f} : 0.0{f};
    return (b < 0) != (rest < 0) ? rest + b : rest;
}}
"""

_REAL_FLOOR_DIV: Final = """\
static inline {T} {name}({T} a, {T} b)
{{
    {T} rest = fmod{f}(a, b), quotient = (a - rest) / b;
    if (b == 0)
        return a / b;
    if (rest != 0 && (b < 0) != (rest < 0))
        quotient = quotient - 1.0{f};
    if (!(quotient < 0 || quotient > 0))
        return quotient * quotient * a / b;
    {T} down = floor{f}(quotient);
    return quotient - down > 0.5{f} ? down + 1.0{f} : down;
}}
"""

_INT_POWER: Final = """\
static inline {T} {name}({T} base, int64_t exponent)
{{
    {T} result = 1;
    if (exponent < 0)
        return base == 1 ? 1 : {minus}base == 0 ? 1 / base : 0;
    if (exponent > 65536)
        return ({T})pow((double)base, (double)exponent);
    for (; exponent != 0; exponent >>= 1) {{
        if (exponent & 1)
            result *= base;
        base *= base;
    }}
    return result;
}}
"""

_REAL_POWER: Final = """\
static inline {T} {name}({T} base, int64_t exponent)
{{
    {T} result = 1;
    int64_t left = exponent < 0 ? -exponent : exponent;
    if (left > 65536)
        return pow{f}(base, ({T})left);
    for (; left != 0; left >>= 1) {{
        if (left & 1)
            result *= base;
        base *= base;
    }}
    return exponent < 0 ? 1.0{f} / result : result;
}}
"""

_MAXIMUM: Final = """\
static inline {T} {name}({T} a, {T} b)
{{
    return a != a ? a : b != b ? b : a {sign} b ? a : b;
}}
"""

_FMAXIMUM: Final = """\
static inline {T} {name}({T} a, {T} b)
{{
    return b != b ? a : a != a ? b : a {sign} b ? a : b;
}}
"""

_SIGN: Final = """\
static inline {T} {name}({T} x)
{{
    return x > 0 ? 1 : x < 0 ? -1 : {zero};
}}
"""

_GCD: Final = """\
static inline int64_t {name}(int64_t a, int64_t b)
{{
    while (b != 0) {{
        int64_t rest = a % b;
        a = b;
        b = rest;
    }}
    return a < 0 ? -a : a;
}}
"""

_CEXP: Final = """\
static inline {T} _Complex {name}({T} _Complex z)
{{
    {T} radius = exp{f}(creal{f}(z));
    return {M}(radius * cos{f}(cimag{f}(z)), radius * sin{f}(cimag{f}(z)));
}}
"""

_FAMILIES: Final = (
    (r"floor_div(?:_(\w+))?", _FLOOR_DIV, "int64"),
    (r"floor_mod(?:_(\w+))?", _FLOOR_MOD, "int64"),
    (r"real_floor_mod(f?)", _REAL_FLOOR_MOD, ""),
    (r"real_floor_div(f?)", _REAL_FLOOR_DIV, ""),
    (r"power_(u?int\d+)", _INT_POWER, ""),
    (r"power_(float\d+)", _REAL_POWER, ""),
    (r"maximum_(\w+)", _MAXIMUM, ">="),
    (r"minimum_(\w+)", _MAXIMUM, "<="),
    (r"fmaximum_(\w+)", _FMAXIMUM, ">="),
    (r"fminimum_(\w+)", _FMAXIMUM, "<="),
    (r"sign_(\w+)", _SIGN, ""),
    (r"greatest_divisor", _GCD, ""),
    (r"complex_exp(f?)", _CEXP, ""),
)


def define_helpers(names: Iterable[str]) -> list[str]:
    """Return the C of helpers, and of those that they call before them, each once."""
    return list(dict.fromkeys(text for name in sorted(set(names)) for text in _define(name)))


def _define(name: str) -> list[str]:
    if "_or_zero" in name:
        return _define_or_zero(name)
    for pattern, text, extra in _FAMILIES:
        found = re.fullmatch(pattern, name)
        if found is not None:
            return [_fill(text, name, found[1] if found.lastindex else "", extra)]
    raise AssertionError(f"no helper {name}")


def _define_or_zero(name: str) -> list[str]:
    base = name.replace("_or_zero", "")
    typ = base.removeprefix("floor_div").removeprefix("floor_mod").lstrip("_") or "int64"
    inner = f"{base}(a, b)"
    before = [] if typ.startswith("uint") else _define(base)
    if typ.startswith("uint"):
        inner = "a / b" if base.startswith("floor_div") else "a % b"
    return [*before, _OR_ZERO.format(T=SCALARS[typ].c, name=name, inner=inner)]


def _fill(text: str, name: str, kind: str, extra: str) -> str:
    """Fill in the type that a helper is for."""
    typ = {"": "float64", "f": "float32"}.get(kind, kind)
    if text in (_FLOOR_DIV, _FLOOR_MOD):
        typ = kind or "int64"
    is_single = typ == "float32"
    return text.format(
        T=SCALARS[typ].c,
        name=name,
        f="f" if is_single else "",
        sign=extra,
        zero="x" if typ.startswith("float") else "0",
        minus="" if typ.startswith("u") else "base == -1 ? (exponent & 1 ? -1 : 1) : ",
        M="CMPLXF" if is_single else "CMPLX",
    )
