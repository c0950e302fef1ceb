"""Random Python functions of Numba's subset, as text: what is translated has to compute what Numba computes.

In: a source of random numbers. Out: the text of a function that ends, divides by no zero and leaves no array, and
arguments for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any, Final

import numpy as np

__all__ = ["draw_arguments", "write_program"]

#: The share of programs that have expressions of whole arrays.
ARRAY_SHARE: Final = 0.25
_HEADER: Final = "def program(n, t, x, y, k, b, f, a):\n"


def draw_arguments(rng: Random) -> tuple[Any, ...]:
    """Draw a number of each kind and an array of each type; the vectors have one length."""
    draw = np.random.default_rng(rng.getrandbits(32))
    length = rng.randint(3, 9)
    return (
        rng.randint(-9, 9),
        rng.uniform(-2, 2),
        draw.uniform(-2, 2, length),
        draw.uniform(-2, 2, length),
        draw.integers(-9, 9, length),
        draw.integers(0, 255, length).astype(np.uint8),
        draw.uniform(-2, 2, length).astype(np.float32),
        draw.uniform(-2, 2, (rng.randint(2, 5), length)),
    )


def write_program(rng: Random) -> str:
    """Write a function of some statements, which returns a number of each kind and an array."""
    return _Writer(rng).write()


class _Writer:
    """One function as it is written: the names that have a value by now, by their kind."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._lines: list[str] = []
        self._names = {
            "float": ["t"],
            "int": ["n"],
            "vector": ["x", "y"],
            "ints": ["k"],
            "bytes": ["b"],
            "single": ["f"],
        }
        self._names["matrix"] = ["a"]
        self._count = 0
        self._loops: list[str] = []
        self._depth = 0
        # Most programs compute with elements alone: those say as much of numbers and control flow, and Numba compiles
        # them in a third of the time.
        self._has_array_expressions = rng.random() < ARRAY_SHARE

    def write(self) -> str:
        """Write the whole function."""
        self._line("u = 0.5 * t")
        self._line("m = n + 1")
        self._line("z = x.copy()")
        self._names["float"].append("u")
        self._names["int"].append("m")
        self._names["vector"].append("z")
        for _ in range(self._rng.randint(3, 8)):
            self._statement()
        vector = self._choose("vector")
        self._line(f"return u, m, {vector} + z, z.sum()" if self._has_array_expressions else "return u, m, z, z[-1]")
        return _HEADER + "".join(self._lines)

    # -- statements ------------------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        self._lines.append("    " * (self._depth + 1) + text + "\n")

    def _statement(self) -> None:
        makers: list[Callable[[], None]] = [
            self._set_float,
            self._set_int,
            self._change,
            self._set_element,
            self._new_name,
        ]
        if self._has_array_expressions:
            makers += [self._set_slice, self._set_vector, self._mask, self._reduce, self._whole]
        if self._depth < 3:
            makers += [self._if, self._for, self._for, self._while]
        self._rng.choice(makers)()

    def _body(self) -> None:
        self._depth += 1
        names = {kind: list(each) for kind, each in self._names.items()}
        for _ in range(self._rng.randint(1, 3)):
            self._statement()
        self._names = names
        self._depth -= 1

    def _set_float(self) -> None:
        self._line(f"u = {self._float()}")

    def _set_int(self) -> None:
        self._line(f"m = {self._int()}")

    def _change(self) -> None:
        sign = self._rng.choice(("+=", "-=", "*="))
        if self._rng.random() < 0.5:
            self._line(f"u {sign} {self._float()}")
        else:
            self._line(f"m {sign} {self._int()} % 101")
            self._line("m %= 10007")  # What overflows is not defined in Numba, which may take a square for positive.

    def _new_name(self) -> None:
        self._count += 1
        kind = self._rng.choice(("float", "int", "vector") if self._has_array_expressions else ("float", "int"))
        makers = {"float": self._float, "int": self._int, "vector": self._vector}
        name = f"v{self._count}"
        self._line(f"{name} = {makers[kind]()}")
        self._names[kind].append(name)

    def _set_element(self) -> None:
        self._line(f"z[{self._index()}] {self._rng.choice(('=', '+=', '*='))} {self._float()}")

    def _set_slice(self) -> None:
        left, right = self._rng.choice(
            (("1:", ":-1"), (":-1", "1:"), ("1:-1", "2:"), ("::-1", ":"), ("2:", ":-2"), (":", ":"))
        )
        sign = self._rng.choice(("=", "+=", "-="))
        self._line(f"z[{left}] {sign} {self._choose('vector')}[{right}] * {self._atom()}")

    def _set_vector(self) -> None:
        self._line(f"z = {self._vector()}" if self._rng.random() < 0.4 else f"z[:] = {self._vector()}")

    def _mask(self) -> None:
        self._line(f"z[{self._choose('vector')} > {self._atom()}] = {self._atom()}")

    def _reduce(self) -> None:
        name = self._rng.choice(("sum", "min", "max", "mean"))
        self._line(f"u = np.{name}({self._vector()})")

    def _whole(self) -> None:
        kind = self._rng.choice(("ints", "bytes", "single"))
        name = self._choose(kind)
        if kind == "single":
            self._line(f"u = u * 0.5 + ({name} * {name} + {name}).sum()")
        else:
            self._line(f"m = (m + ({name} * 3 - {name} // 2 + ({name} > 1)).sum()) % 10007")

    def _if(self) -> None:
        self._line(f"if {self._condition()}:")
        self._body()
        if self._rng.random() < 0.5:
            self._line("else:")
            self._body()

    def _for(self) -> None:
        name = "ijp"[self._depth]
        head = self._rng.choice(
            (
                f"for {name} in range(len(x)):",
                f"for {name} in range({self._rng.randint(1, 3)}, len(x)):",
                f"for {name} in range(len(x) - 1, -1, -1):",
                f"for {name} in range(0, len(x), 2):",
                f"for {name}, w{self._depth} in enumerate(y):",
            )
        )
        self._line(head)
        self._loops.append(name)
        self._names["int"].append(name)
        self._body()
        if self._rng.random() < 0.2:
            self._depth += 1
            self._line(f"if {self._condition()}:")
            self._depth += 1
            self._line(self._rng.choice(("break", "continue")))
            self._depth -= 2
        self._names["int"].remove(name)
        self._loops.pop()

    def _while(self) -> None:
        self._count += 1
        name = f"c{self._count}"
        self._line(f"{name} = 0")
        self._line(f"while {name} < {self._rng.randint(1, 4)}:")
        self._depth += 1
        self._line(f"{name} += 1")
        self._depth -= 1
        self._names["int"].append(name)
        self._body()
        self._names["int"].remove(name)

    # -- expressions -----------------------------------------------------------------------------------------------

    def _choose(self, kind: str) -> str:
        return self._rng.choice(self._names[kind])

    def _fill(self, kind: str, depth: int) -> str:
        """Choose a form of a kind of expression, and fill in what is in its braces."""
        is_leaf = depth > 2 or self._rng.random() < 0.3
        form = self._rng.choice(_LEAVES[kind] if is_leaf else _FORMS[kind])
        return re.sub(r"\{(\w+)\}", lambda found: self._part(found[1], depth + 1), form)

    def _part(self, name: str, depth: int) -> str:
        if name in _FORMS:
            return self._fill(name, depth)
        if name == "literal":
            return repr(round(self._rng.uniform(-2, 2), 2))
        if name == "number":
            return str(self._rng.randint(-9, 9))
        if name == "at":
            return self._index(depth)
        return self._choose(name)

    def _index(self, depth: int = 2) -> str:
        if self._loops and self._rng.random() < 0.6:
            return self._rng.choice(self._loops)
        if depth < 2:
            return f"({self._fill('INT', depth + 1)}) % len(x)"
        return self._rng.choice(("0", "-1", "1", "len(x) - 2"))

    def _atom(self) -> str:
        return self._part("ATOM", 3)

    def _float(self) -> str:
        return self._fill("FLOAT", 0)

    def _int(self) -> str:
        return self._fill("INT", 0)

    def _condition(self) -> str:
        return self._fill("TRUTH", 0)

    def _vector(self) -> str:
        return self._fill("VECTOR", 0)


#: What expressions of each kind look like; in braces stand other kinds, and names of variables by their kind.
_FORMS: Final[dict[str, tuple[str, ...]]] = {
    "ATOM": ("{float}", "{literal}", "0.5", "t"),
    "FLOAT": (
        "({FLOAT} + {FLOAT})",
        "({FLOAT} - {FLOAT})",
        "({FLOAT} * {FLOAT})",
        "({FLOAT} / (1.0 + {FLOAT} ** 2))",
        "math.sin({FLOAT})",
        "math.cos({FLOAT})",
        "math.exp({FLOAT} * 0.125)",
        "np.tanh({FLOAT})",
        "abs({FLOAT})",
        "np.floor({FLOAT})",
        "({FLOAT} if {TRUTH} else {FLOAT})",
        "min({FLOAT}, {FLOAT})",
        "max({FLOAT}, {INT}, 0.5)",
        "{ATOM} ** 2",
        "({FLOAT} // 0.75)",
        "({FLOAT} % 1.5)",
        "f[{at}] * {INT}",
        "a[-1, {at}]",
        "a[1, {at}]",
        "math.sqrt(abs({FLOAT}))",
        "{vector}[{at}]",
        "({INT} / 4)",
        "{float} ** 3",
    ),
    "INT": (
        "({INT} + {INT})",
        "({INT} - {INT})",
        "({INT} * {INT} % 10007)",
        "({INT} // -7)",
        "({INT} // 3)",
        "({INT} % -5)",
        "({INT} % 8)",
        "({INT} & {INT})",
        "({INT} ^ {INT})",
        "({INT} << 1)",
        "({INT} >> 2)",
        "abs({INT})",
        "min({INT}, {INT})",
        "({INT} if {TRUTH} else {INT})",
        "int(np.sign({INT}))",
        "b[{at}] * ({INT} % 11)",
        "~{int}",
        "int(math.tanh({ATOM}) * 9)",
        "k[{at}]",
        "({int} ** 2 % 10007)",
    ),
    "TRUTH": (
        "{FLOAT} < {FLOAT}",
        "{FLOAT} >= {INT}",
        "{INT} != {INT}",
        "{INT} == {INT}",
        "{INT} < {INT}",
        "({TRUTH} and not {TRUTH})",
        "({TRUTH} or {TRUTH})",
        "-1 < {ATOM} <= {FLOAT}",
    ),
    "VECTOR": (
        "({VECTOR} + {VECTOR})",
        "({VECTOR} - {VECTOR})",
        "({VECTOR} * {VECTOR})",
        "({VECTOR} * {ATOM})",
        "({int} * {VECTOR})",
        "({VECTOR} / (1.0 + {VECTOR} ** 2))",
        "np.sqrt(np.abs({VECTOR}))",
        "np.sin({VECTOR})",
        "np.maximum({VECTOR}, 0.25)",
        "np.floor({VECTOR})",
        "(-{VECTOR})",
        "np.where({VECTOR} > {VECTOR}, {VECTOR}, {ATOM})",
        "(0.0 + {VECTOR})[::-1]",
        "a[0] * 1.0",
        "a[-1] * 0.5",
        "a.sum(axis=0)",
        "({ints} * {VECTOR})",
        "(f + k)",
        "({VECTOR} ** 2)",
        "np.minimum({VECTOR}, {VECTOR})",
        "(x[{at}] + {VECTOR})",
    ),
}

#: What they look like where they end.
_LEAVES: Final[dict[str, tuple[str, ...]]] = {
    "ATOM": _FORMS["ATOM"],
    "FLOAT": ("{ATOM}", "{vector}[{at}]", "{int}"),
    "INT": ("{int}", "{number}", "k[0]", "k[-1]", "len(x)"),
    "TRUTH": ("{float} > {ATOM}", "{int} < {number}"),
    "VECTOR": ("{vector}",),
}
