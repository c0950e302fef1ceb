"""Candidates from a grammar: C that is valid most of the time, and faults of the kinds that authors make.

In: a `random.Random`. Out: a `Case` whose text fits its declaration. What is written depends on the names that are in
scope and on their types, so most texts compile. A fault (`slips`) is an index that is one off or belongs to another
array, bounds that are swapped, a wrong length for a helper or for `memcpy`, a step that is forgotten, a recursion
without an end, a division by anything, a pointer that is moved too far or outlives its object, an object without a
value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from fuzz.cases import Case
from symbiont_jit.c import vocabulary

__all__ = ["DECLARATIONS", "HOSTILE_NUMBERS", "generated"]

POINT = "struct P { double a; int32_t b[3]; uint8_t c; };\n"
DECLARATIONS = (
    "double k(int64_t n, const double x[n], const double y[n])",
    "void k(int64_t n, double x[n])",
    "void k(int64_t n, int64_t m, int64_t l, const double a[n][m], const double b[m][l], double c[n][l])",
    "int64_t k(int64_t n, const int64_t x[n], int64_t i)",
    "int32_t k(int64_t n, int64_t m, int32_t x[n], const uint8_t y[m], int32_t i, double s)",
    "float k(int64_t n, const float x[n], float y[n], float a)",
    "void k(int64_t n, uint8_t x[n], const uint8_t y[n], uint8_t c)",
    POINT + "double k(int64_t n, const struct P p[n], struct P *out)",
    POINT + "void k(int64_t n, int64_t m, struct P p[n], double w[n][m], const int32_t at[m])",
    "double k(double x, double y, int64_t i)",
    "uint64_t k(int64_t n, const double x[n][4], uint64_t seed)",
    "int64_t k(int64_t n, const int8_t a[n], int16_t b[n], uint32_t c[n], int64_t j)",
    "double k(int64_t n, int64_t m, double x[n][m][3], int64_t i, int64_t j)",
    "bool k(int64_t n, const bool x[n], bool y[n], int64_t i)",
)
#: Texts without loops, arrays and calls are left as they are by some steps, and folded to constants.
SHORT = "int64_t k(double x, double y, int64_t i)"
HOSTILE_NUMBERS = (
    "-1", "(1 << 28)", "INT64_MAX", "INT64_MIN", "(1LL << 61)", "((1LL << 62) + 1)", "-7", "UINT64_MAX", "4294967296",
    "INT_MIN", "65536", "0x7fffffff", "0", "1000000",
)  # fmt: skip
INTEGERS = ("int64_t", "int64_t", "int64_t", "int", "int32_t", "uint32_t", "uint64_t", "uint8_t", "int16_t", "size_t",
            "long", "char", "bool", "unsigned short")  # fmt: skip
REALS = ("double", "double", "double", "double", "float", "float", "long double")
ELEMENTS = ("double", "double", "int64_t", "int32_t", "uint8_t", "float", "uint32_t")
#: Functions of the table of an integer, which count bits or move bytes, and functions of floating values alone.
ONE_INTEGER = [
    name
    for name in vocabulary.FUNCTIONS
    if re.fullmatch(r"__builtin_(bswap\d+|(clz|ctz|popcount|parity|ffs|clrsb|abs|labs|llabs)l*)|l*abs", name)
]
SCALAR = r"(?:float|double|int|long|long long|int64_t)"
OF_REALS = {
    row.name: row.prototype.count(",") + 1
    for row in vocabulary.FUNCTIONS.values()
    if re.fullmatch(rf"{SCALAR} \w+\({SCALAR}(?:, {SCALAR})*\);", row.prototype)
}
ONE_REAL = "sqrt fabs floor ceil sin cos exp log trunc cbrt tanh round".split()
TWO_REALS = "fmin fmax pow atan2 copysign fmod hypot nextafter".split()
#: Those whose result has the same bits whoever computes it, a compiler or a library.
EXACT_REAL = "fabs floor ceil trunc round".split()
_PARAMETER = re.compile(r"[a-z]|q\d+|at")
_UNADDRESSED = ("bits", "register")
COMPARE = ("<", ">", "<=", ">=", "==", "!=")
_PARAM = re.compile(r"(const )?(struct \w+|\w+) (\*)?(\w+)((?:\[\w+\])*)")


@dataclass(frozen=True, slots=True)
class Variable:
    """A name in scope.

    `kind` is scalar, register, bits, array or pointer; `dims` are lengths as C text, of a pointer how many are left.
    """

    name: str
    type: str
    kind: str = "scalar"
    dims: tuple[str, ...] = ()
    is_const: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the text; `depth` names the parameter that ends its recursion."""

    name: str
    returns: str
    params: tuple[Variable, ...]
    depth: str = ""


def is_integer(typ: str) -> bool:
    """Whether a scalar type counts."""
    return typ not in REALS and not is_struct(typ)


def is_struct(typ: str) -> bool:
    """Whether a type has fields."""
    return typ.startswith(("struct ", "union ")) or typ[:1] == "T"


def generated(random: Random, arena: bool = False) -> Case:
    """A case; with `arena` its text may use malloc and its family."""
    declaration = random.choice(DECLARATIONS)
    slips = random.choice((0.0, 0.0, 0.0, 0.01, 0.03, 0.1, 0.3))
    is_exact = random.random() < 0.5
    writer = Writer(random, slips, arena, is_exact)
    if random.random() < 0.1:
        return Case("short", SHORT, writer.short(), is_exact)
    return Case("grammar", declaration, writer.text(declaration), is_exact)


class Writer:
    """One text in the making: what it has declared so far, and what is in scope.

    An exact text has no values that two compilers may compute differently: results of the library that are rounded,
    infinities and what comes of them, comparisons of addresses.
    """

    def __init__(self, random: Random, slip_rate: float, arena: bool, is_exact: bool) -> None:
        self.random, self.slip_rate, self.arena, self.is_exact = random, slip_rate, arena, is_exact
        self.scopes: list[list[Variable]] = [[]]
        self.loops: list[tuple[str, str]] = []
        self.fields: dict[str, tuple[Variable, ...]] = {}
        self.functions: list[Function] = []
        self.enumerators: list[str] = []
        self.current = Function("", "void", ())
        self.count = 0
        self.budget = self.nesting = 0
        self.breaks = self.continues = False

    # -- choices ------------------------------------------------------------------------------------------------------

    def pick(self, *options: str) -> str:
        """One of several texts."""
        return self.random.choice(options)

    def maybe(self, chance: float) -> bool:
        """True that often."""
        return self.random.random() < chance

    def slips(self) -> bool:
        """Whether the author makes a mistake here."""
        return self.slip_rate > 0 and self.maybe(self.slip_rate)

    def fresh(self, prefix: str) -> str:
        """A name that nothing has."""
        self.count += 1
        return f"{prefix}{self.count}"

    def chosen(self, table: tuple[tuple[int, Callable[..., str]], ...]) -> Callable[..., str]:
        """A row of a table of weights and methods."""
        return self.random.choices([row for _, row in table], [weight for weight, _ in table])[0]

    def visible(self, accepts: Callable[[Variable], bool]) -> list[Variable]:
        """The variables in scope of some kind."""
        known = {v.name: v for scope in self.scopes for v in scope}  # an inner one hides its namesakes
        return [v for v in known.values() if accepts(v)]

    def named(self, prefix: str) -> str:
        """A new name for a local; rarely one that hides another."""
        outer = [v.name for scope in self.scopes[:-1] for v in scope]
        own = {v.name for v in self.scopes[-1]}
        free = [name for name in outer if name not in own and len(self.scopes) > 3]
        return self.random.choice(free) if free and self.maybe(0.05) else self.fresh(prefix)

    def declare(self, variable: Variable) -> None:
        """A name for the rest of its block."""
        self.scopes[-1].append(variable)

    # -- the whole text -----------------------------------------------------------------------------------------------

    def text(self, declaration: str) -> str:
        """Types, tables, helpers and the declared function."""
        before, _, head = declaration.rpartition("\n")
        if before:
            self.fields["struct P"] = (
                Variable("a", "double"),
                Variable("b", "int32_t", "array", ("3",)),
                Variable("c", "uint8_t"),
            )
        parts = [self._aggregate() for _ in range(self.random.choice((0, 0, 1, 1, 2)))]
        parts += [self._file_item() for _ in range(self.random.choice((0, 0, 1, 2)))]
        parts += [self._helper() for _ in range(self.random.choice((0, 0, 1, 1, 2)))]
        parts.append(self._mutual() if self.maybe(0.1) else "")
        returns, _, listed = head.partition(" k(")
        params = tuple(_param(text) for text in listed.rstrip(")").split(", "))
        return "".join(parts) + self._defined(head, Function("k", returns, params), self.random.randint(1, 9))

    def short(self) -> str:
        """A function of a few scalars, some of them constants, and a decision."""
        self.scopes.append([Variable("x", "double"), Variable("y", "double"), Variable("i", "int64_t")])
        lines = []
        for _ in range(self.random.randint(1, 4)):
            name, typ = self.fresh("v"), self.pick(*INTEGERS, *REALS)
            value = self.pick(*HOSTILE_NUMBERS, "70", "31", "200", self.integer(1), self.real(1))
            lines.append(f"{typ} {name} = {value};" if self.maybe(0.8) else f"{typ} {name};")
            self.declare(Variable(name, typ))
        for _ in range(self.random.randint(0, 2)):
            one, other = self._integer_leaf(), self._integer_leaf()
            lines.append(f"int64_t {self.fresh('u')} = {one} {self.pick('<<', '>>', '+', '*', '-', '&')} {other};")
            self.declare(Variable(lines[-1].split()[1], "int64_t"))
        lines += [f"if ({self.condition(1)}) {self.pick(self._assignment(1), f'return {self.integer(1)};')}"]
        lines += [f"switch ({self._integer_leaf()}) {{ case 0: {self._assignment(1)} break; case 3: return 5; }}"]
        body = "\n  ".join(self.random.sample(lines, len(lines)) if self.slips() else lines)
        return f"{SHORT}\n{{\n  {body}\n  return {self.integer(2)};\n}}\n"

    def _aggregate(self) -> str:
        """A struct or union with random fields."""
        kind = self.pick("struct", "struct", "union", "typedef")
        tag = self.fresh("T" if kind == "typedef" else "S")
        fields = [self._field() for _ in range(self.random.randint(1, 4))]
        name = tag if kind == "typedef" else f"{kind} {tag}"
        self.fields[name] = tuple(v for v, _ in fields)
        body = " ".join(text for _, text in fields)
        return f"typedef struct {{ {body} }} {tag};\n" if kind == "typedef" else f"{name} {{ {body} }};\n"

    def _field(self) -> tuple[Variable, str]:
        name = self.fresh("f")
        kind = self.random.randrange(10)
        if kind < 2:
            typ, bits = self.pick("int", "unsigned", "int64_t", "uint32_t"), self.random.randint(1, 31)
            return Variable(name, typ, "bits"), f"{typ} {name} : {bits};"
        if kind < 4:
            typ, length = self.pick(*ELEMENTS), str(self.random.randint(1, 6))
            return Variable(name, typ, "array", (length,)), f"{typ} {name}[{length}];"
        typ = self.pick(*self.fields) if kind == 4 and self.fields else self.pick(*INTEGERS, *REALS)
        return Variable(name, typ), f"{typ} {name};"

    def _file_item(self) -> str:
        name = self.fresh("c").upper()
        kind = self.random.randrange(4)
        if kind == 0:
            names = [f"{name}_{i}" for i in range(3)]
            self.enumerators += names
            return f"enum {name.lower()} {{ {names[0]}, {names[1]} = {self.pick('5', '-3', '1 << 4')}, {names[2]} }};\n"
        if kind == 1:
            self.enumerators.append(name)
            return f"#define {name} {self.random.randint(0, 9)}\n"
        typ = self.pick(*ELEMENTS)
        dims = tuple(str(self.random.randint(2, 5)) for _ in range(self.random.choice((1, 1, 2))))
        self.declare(Variable(name, typ, "array", dims, is_const=True))
        return f"static const {typ} {name}{_brackets(dims)} = {self._braces(dims)};\n"

    def _braces(self, dims: tuple[str, ...]) -> str:
        count = self.random.randint(1, int(dims[0]))
        if len(dims) > 1:
            return f"{{{', '.join(self._braces(dims[1:]) for _ in range(count))}}}"
        return f"{{{', '.join(str(self.random.randint(0, 9)) for _ in range(count))}}}"

    # -- functions ----------------------------------------------------------------------------------------------------

    def _helper(self) -> str:
        function = self._shape()
        text = self._defined(_prototype(function), function, self.random.randint(1, 6))
        self.functions.append(function)
        return text

    def _mutual(self) -> str:
        """Two helpers that call each other."""
        first, second = self._shape(recursive=True), self._shape(recursive=True)
        self.functions += [first, second]
        one = self._defined(_prototype(first), first, 3)
        two = self._defined(_prototype(second), second, 3)
        return f"{_prototype(second)};\n{one}{two}"

    def _shape(self, recursive: bool | None = None) -> Function:
        """A name, a result and parameters."""
        params: list[Variable] = []
        is_recursive = self.maybe(0.25) if recursive is None else recursive
        if is_recursive:
            params.append(Variable(self.fresh("d"), "int64_t", is_const=True))
        for _ in range(self.random.randint(0 if is_recursive else 1, 3)):
            params += self._params()
        structs = [t for t in self.fields if is_struct(t)]
        result = self.pick("void", "double", "int64_t", "int", "float", "uint8_t", "long double", *structs[:1])
        return Function(self.fresh("h"), result, tuple(params), params[0].name if is_recursive else "")

    def _params(self) -> list[Variable]:
        name, typ, is_const = self.fresh("q"), self.pick(*ELEMENTS, *self.fields), self.maybe(0.5)
        kind = self.random.randrange(6)
        if kind < 2:
            return [Variable(name, self.pick(*INTEGERS, *REALS, *self.fields))]
        length = Variable(self.fresh("n"), self.pick("int64_t", "int64_t", "int"), is_const=True)
        if kind < 4:
            return [Variable(name, typ, "pointer", (length.name,), is_const), length]
        if kind == 4:
            return [length, Variable(name, typ, "array", (length.name,), is_const)]
        second = Variable(self.fresh("n"), "int64_t", is_const=True)
        return [length, second, Variable(name, typ, "array", (length.name, second.name), is_const)]

    def _defined(self, head: str, function: Function, statements: int) -> str:
        """A function with its body."""
        outer, self.current = self.current, function
        self.scopes.append(list(function.params))
        loops, self.loops = self.loops, []
        self.budget = 2 * statements
        lines = []
        if function.depth and not self.slips():
            lines.append(f"if ({function.depth} <= 0) {self._return(1)}")
        lines += [self._declaration(2) for _ in range(self.random.randint(0, 3))]
        lines += [self.statement(3) for _ in range(statements)]
        if function.returns != "void" and not (self.slips() and self.maybe(0.05)):
            lines.append(self._return(3))
        self.scopes.pop()
        self.current, self.loops = outer, loops
        return f"{head}\n{{\n  " + "\n  ".join(lines) + "\n}\n"

    def _return(self, depth: int) -> str:
        returns = self.current.returns
        return "return;" if returns == "void" else f"return {self.of_type(returns, depth)};"

    def call(self, function: Function, depth: int) -> str:
        """A call with arguments that fit, unless somebody slips."""
        counts: dict[str, str] = {}
        given: dict[str, str] = {}
        for param in function.params:
            if param.kind != "scalar":
                given[param.name], lengths = self.argument(param, depth)
                counts.update(zip(param.dims, lengths, strict=False))
        for param in function.params:
            if param.name in counts:
                given[param.name] = self.slipped(counts[param.name])
            elif param.name == function.depth:
                given[param.name] = self._recursion_depth()
            elif param.kind == "scalar":
                given[param.name] = self.of_type(param.type, depth - 1)
        return f"{function.name}({', '.join(given[p.name] for p in function.params)})"

    def _recursion_depth(self) -> str:
        own = self.current.depth
        if self.slips():
            return self.pick("1LL << 40", "100000", *((own, f"{own} + 1") if own else ()))
        return f"{own} - 1" if own else str(self.random.randint(0, 6))

    def argument(self, param: Variable, depth: int) -> tuple[str, tuple[str, ...]]:
        """A pointer for a parameter, and the lengths behind it."""
        if len(param.dims) < 2:
            text, length = self.pointer(param.type, not param.is_const, depth)
            return text, (length,)
        rows = self.visible(
            lambda v: v.kind == "array" and v.type == param.type and len(v.dims) == 2 and v.is_const <= param.is_const
        )
        if rows:
            array = self.random.choice(rows)
            return array.name, array.dims
        text, length = self.pointer(param.type, not param.is_const, depth)
        const = "const " if param.is_const else ""
        return f"({const}{param.type} (*)[2])({text})", (f"({length}) / 2", "2")

    # -- numbers ------------------------------------------------------------------------------------------------------

    def slipped(self, text: str) -> str:
        """A length or a bound, or a wrong one."""
        if not self.slips():
            return text
        return self.pick(f"{text} + 1", f"{text} - 1", f"2 * ({text})", f"-({text})", *HOSTILE_NUMBERS, self.inner())

    def inner(self) -> str:
        """An integer inside of a subscript or length, which has subscripts itself, but not for ever."""
        if self.nesting > 1:
            return self.pick("0", "1", "2", *(name for name, _ in self.loops))
        self.nesting += 1
        text = self.integer(1)
        self.nesting -= 1
        return text

    def index(self, length: str) -> str:
        """A subscript for a length."""
        if self.slips():
            others = [name for name, _ in self.loops]
            if length.isdigit():  # where clang sees the number, it refuses it
                known = [v.name for v in self.visible(lambda v: v.kind == "scalar" and v.type in INTEGERS)]
                length, others = f"{self.pick(*(known or '0'))} + {length}", others or known or ["1"]
                return self.pick(
                    length, f"{self.pick(*others)} - 1", f"{self.pick(*others)} * {self.pick(*HOSTILE_NUMBERS)}"
                )
            others = others or ["1"]
            return self.pick(length, "-1", self.pick(*others) + self.pick("", " + 1", " - 1", " * 2"),
                             self.pick(*HOSTILE_NUMBERS), self.inner())  # fmt: skip
        fitting = [name for name, bound in self.loops if bound == length]
        if fitting and self.maybe(0.8):
            name = self.random.choice(fitting)
            return self.pick(name, name, name, f"{length} - 1 - {name}")
        if length.isdigit():
            return str(self.random.randrange(int(length)))
        if self.maybe(0.3):
            return f"(uint64_t)({self.inner()}) % {length}"
        if self.maybe(0.1) and self.nesting < 2:
            return self._changing_index(length)
        return self.pick("0", f"{length} - 1", f"{length} / 2")

    def _changing_index(self, length: str) -> str:
        """A subscript that is changed where it stands, which may be in another subscript."""
        self.nesting += 1
        text = self.effect(0)
        self.nesting -= 1
        return f"(uint64_t)({text}) % {length}"

    def of_type(self, typ: str, depth: int) -> str:
        """An expression of a type."""
        if is_struct(typ):
            return self._struct_value(typ, depth)
        return self.integer(depth) if is_integer(typ) else self.real(depth)

    def _struct_value(self, typ: str, depth: int) -> str:
        same = self.visible(lambda v: v.type == typ)
        calls = [f for f in self.functions if f.returns == typ]
        if calls and depth > 0 and self.maybe(0.3):
            return self.call(self.random.choice(calls), depth - 1)
        if same and self.maybe(0.8):
            return self.object(self.random.choice(same))
        first = self.fields[typ][0]
        value = self.of_type(first.type, depth - 1) if first.kind != "array" and not is_struct(first.type) else ""
        return f"({typ}){{{self.pick(f'.{first.name} = {value}', value) if value else '0'}}}"

    def object(self, variable: Variable) -> str:
        """The object or element that a variable leads to."""
        if variable.kind == "array":
            return variable.name + "".join(f"[{self.index(d)}]" for d in variable.dims)
        if variable.kind == "pointer":
            name, index = variable.name, self.index(variable.dims[0])
            stepped = f"(*{name}{self.pick('++', '--')})" if self.slips() else f"{name}[{index}]"
            return self.pick(f"{name}[{index}]", f"{name}[{index}]", f"(*({name} + {index}))", stepped)
        return variable.name

    def place(self, accepts: Callable[[Variable], bool]) -> tuple[str, str] | None:
        """An object of a scalar type, and the type."""
        options = self.visible(lambda v: accepts(v) and not (v.type in self.fields and not self.fields[v.type]))
        if not options:
            return None
        variable = self.random.choice(options)
        text = self.object(variable)
        if variable.kind == "pointer" and is_struct(variable.type) and self.maybe(0.5):
            first = self.random.choice(self.fields[variable.type])
            text, variable = f"{variable.name}->{self.object(first)}", first
        while is_struct(variable.type):
            variable = self.random.choice(self.fields[variable.type])
            text = f"{text}.{self.object(variable)}"
        return text, variable.type

    def integer(self, depth: int) -> str:
        """An expression that counts."""
        if depth <= 0 or self.maybe(0.25):
            return self._integer_leaf()
        return self.chosen(_INTEGER)(self, depth - 1)

    def _integer_leaf(self) -> str:
        found = self.place(lambda v: True)
        options = [str(self.random.randint(0, 9)), str(self.random.randint(0, 9))]
        options += [name for name, _ in self.loops] + self.enumerators[:2]
        if found is not None:
            text, typ = found
            options += [text if is_integer(typ) else f"(int64_t)({text})"] * 4
        if self.slips():
            options += HOSTILE_NUMBERS
        return self.random.choice(options)

    def _arithmetic(self, depth: int) -> str:
        return f"({self.integer(depth)} {self.pick('+', '-', '*', '+', '-', '&', '|', '^')} {self.integer(depth)})"

    def _division(self, depth: int) -> str:
        below = self.integer(depth) if self.slips() else self.pick("3", "7", f"(({self.integer(depth)}) | 1)")
        return f"({self.integer(depth)} {self.pick('/', '%')} {below})"

    def _shift(self, depth: int) -> str:
        by = self.integer(depth) if self.slips() else str(self.random.randint(0, 7))
        return f"({self.integer(depth)} {self.pick('<<', '>>')} {by})"

    def _integer_choice(self, depth: int) -> str:
        return f"({self.condition(depth)} ? {self.integer(depth)} : {self.integer(depth)})"

    def _integer_cast(self, depth: int) -> str:
        return f"({self.pick(*INTEGERS)})({self.pick(self.integer(depth), self.real(depth))})"

    def _integer_sign(self, depth: int) -> str:
        return f"({self.pick('-', '~', '!', '+')}{self.integer(depth)})"

    def _comma(self, depth: int) -> str:
        return f"({self.effect(depth)}, {self.integer(depth)})"

    def _size(self, depth: int) -> str:
        named = self.visible(
            lambda v: v.kind not in _UNADDRESSED and not (v.kind == "array" and not all(map(str.isdigit, v.dims)))
        )
        options = [f"(int64_t)sizeof({self.pick(*ELEMENTS, *self.fields)})"]
        options += [f"(int64_t)sizeof({self.pick('', '*') if v.kind == 'pointer' else ''}{v.name})" for v in named[:3]]
        return self.random.choice(options)

    def _difference(self, depth: int) -> str:
        if self.is_exact:
            return self._size(depth)
        typ = self.pick(*ELEMENTS)
        one, other = self.pointer(typ, False, depth)[0], self.pointer(typ, False, depth)[0]
        return f"({one} {self.pick('-', '<', '==')} {other})"

    def _integer_call(self, depth: int) -> str:
        known = [f for f in self._callable() if f.returns in INTEGERS]
        return self.call(self.random.choice(known), depth) if known else self._integer_leaf()

    def _integer_library(self, depth: int) -> str:
        one = self.pick(*ONE_INTEGER)
        if self.is_exact:
            return f"{one}({self.integer(depth)})"
        first, length = self.pointer("uint8_t", False, depth)
        second, _ = self.pointer("uint8_t", False, depth)
        compared = f"memcmp({first}, {second}, {self.slipped(self.pick('1', '0', length))})"
        return self.pick(
            f"{one}({self.integer(depth)})", f"{self.pick('lrint', 'ilogb')}({self.real(depth)})", compared
        )

    def _integer_member(self, depth: int) -> str:
        """A member of a struct that is a value, or a subscript the other way round, or a character of a string."""
        if not self.fields or self.maybe(0.3):
            found = self.visible(lambda v: v.kind == "array" and len(v.dims) == 1 and v.type in INTEGERS)
            string = f"{self.pick(chr(34) + 'abc' + chr(34))}[{self.index('4')}]"
            array = self.random.choice(found) if found else None
            return string if array is None else f"({self.index(array.dims[0])})[{array.name}]"
        typ = self.pick(*self.fields)
        member = self.random.choice(self.fields[typ])
        value = self.pick(self._struct_value(typ, depth), f"({self.condition(0)} ? {self._struct_value(typ, 0)} : "
                          f"{self._struct_value(typ, 0)})", f"(0, {self._struct_value(typ, 0)})")  # fmt: skip
        text = f"({value}).{self.object(member)}"
        return "0" if is_struct(member.type) else f"(int64_t)({text})"

    def _integer_assignment(self, depth: int) -> str:
        return f"({self.pick(*INTEGERS)})({self.effect(depth)})"

    def real(self, depth: int) -> str:
        """An expression of a floating type."""
        if depth <= 0 or self.maybe(0.25):
            return self._real_leaf()
        return self.chosen(_REAL)(self, depth - 1)

    def _real_leaf(self) -> str:
        found = self.place(lambda v: True)
        literal = self.pick("0.5", "1e3", "2.0", "0x1.8p1", "3.0f", "M_PI", "1e-3", "0.0")
        literal = literal if self.is_exact or self.maybe(0.9) else "INFINITY"
        return self.random.choice([literal, *([found[0]] * 3 if found else [])])

    def _real_arithmetic(self, depth: int) -> str:
        if self.is_exact and self.maybe(0.2):
            return f"({self.real(depth)} / {self.pick('4.0', '0.1', '3.0f')})"
        return f"({self.real(depth)} {self.pick(*('+-*' if self.is_exact else '+-*/'))} {self.real(depth)})"

    def _real_choice(self, depth: int) -> str:
        return f"({self.condition(depth)} ? {self.real(depth)} : {self.real(depth)})"

    def _real_library(self, depth: int) -> str:
        if self.is_exact:
            return f"{self.pick(*EXACT_REAL)}({self.real(depth)})"
        if self.maybe(0.3):
            name = self.pick(*OF_REALS)
            return f"{name}({', '.join(self.real(depth - 1) for _ in range(OF_REALS[name]))})"
        if self.maybe(0.5):
            return f"{self.pick(*ONE_REAL)}({self.real(depth)})"
        return f"{self.pick(*TWO_REALS)}({self.real(depth)}, {self.real(depth)})"

    def _real_call(self, depth: int) -> str:
        known = [f for f in self._callable() if f.returns in REALS]
        return self.call(self.random.choice(known), depth) if known else self._real_leaf()

    def _real_cast(self, depth: int) -> str:
        return f"({self.pick(*REALS)})({self.integer(depth)})"

    def _real_split(self, depth: int) -> str:
        if self.is_exact:
            return self._real_cast(depth)
        name, typ = self.pick("frexp int", "modf double").split()
        return f"{name}({self.real(depth)}, {self.pointer(typ, True, depth)[0]})"

    def condition(self, depth: int) -> str:
        """An expression that is true or false."""
        if depth <= 0:
            return f"{self._integer_leaf()} {self.pick(*COMPARE)} {self._integer_leaf()}"
        if self.maybe(0.3):
            return f"({self.condition(depth - 1)} {self.pick('&&', '||')} {self.condition(depth - 1)})"
        side = self.pick("integer", "real")
        one: Callable[[int], str] = getattr(self, side)
        return f"({one(depth - 1)} {self.pick(*COMPARE)} {one(depth - 1)})"

    def _callable(self) -> list[Function]:
        return [*self.functions, *([self.current] if self.current.depth else [])]

    # -- pointers -----------------------------------------------------------------------------------------------------

    def pointer(self, typ: str, writable: bool, depth: int) -> tuple[str, str]:
        """An expression that points to a type, and how many of them there are."""
        may_drop_const = self.slips() and self.maybe(0.05)  # clang refuses it
        found = self.visible(
            lambda v: (
                v.type == typ and v.kind not in _UNADDRESSED and (not writable or not v.is_const or may_drop_const)
            )
        )
        if not found or self.maybe(0.1):
            return self._other_pointer(typ, writable)
        variable = self.random.choice(found)
        text, length = self._leading_to(variable)
        if variable.is_const and writable:
            text = f"({typ} *)({text})"
        if variable.kind == "pointer" and self.slips():
            text = self.pick(f"({variable.name}++)", f"({variable.name} += 1)", f"(0, {text})", f"&*({text})",
                             f"({variable.name} = {text})", f"(int64_t *)({text})")  # fmt: skip
        return text, length

    def _member_pointer(self, typ: str, writable: bool) -> tuple[str, str] | None:
        """The address of a member, or a member that is an array."""
        found = [
            (v, member)
            for v in self.visible(
                lambda v: is_struct(v.type) and v.kind not in _UNADDRESSED and not (writable and v.is_const)
            )
            for member in self.fields[v.type]
            if member.type == typ and member.kind != "bits"
        ]
        if not found:
            return None
        variable, member = self.random.choice(found)
        base = f"{self.object(variable)}.{member.name}"
        if variable.kind == "pointer":
            base = self.pick(base, f"{variable.name}->{member.name}", f"(*{variable.name}).{member.name}")
        return (base, member.dims[0]) if member.kind == "array" else (f"&{base}", "1")

    def _leading_to(self, variable: Variable) -> tuple[str, str]:
        if variable.kind == "scalar":
            return f"&{variable.name}", "1"
        *rows, last = variable.dims
        base = variable.name + "".join(f"[{self.index(d)}]" for d in rows)
        if self.maybe(0.6):
            return base, last
        offset = self.index(last)
        return self.pick(f"({base} + ({offset}))", f"&{base}[{offset}]"), f"{last} - ({offset})"

    def _other_pointer(self, typ: str, writable: bool) -> tuple[str, str]:
        """A cast of another object, a compound literal, or null."""
        others = self.visible(
            lambda v: v.kind in ("array", "pointer") and len(v.dims) == 1 and not (writable and v.is_const)
        )
        if others and self.maybe(0.5):
            other = self.random.choice(others)
            return f"({'' if writable else 'const '}{typ} *){other.name}", "1"
        scalars = self.visible(lambda v: v.kind == "scalar" and is_struct(v.type) and not v.is_const)
        member = self._member_pointer(typ, writable)
        if member is not None and self.maybe(0.7):
            return member
        if scalars and typ == "uint8_t":
            name = self.random.choice(scalars).name
            return f"(uint8_t *)&{name}", f"sizeof({name})"
        const = "" if writable else "const "
        if not self.maybe(0.01):
            return ("NULL" if self.slips() or not others else f"({const}{typ} *){self.random.choice(others).name}"), "1"
        return f"({typ}[4]){{{'' if is_struct(typ) else '1, 2'}{'{0}' if is_struct(typ) else ''}}}", "4"

    # -- statements ---------------------------------------------------------------------------------------------------

    def effect(self, depth: int) -> str:
        """An expression that changes something."""
        found = self.place(lambda v: not v.is_const or (v.kind == "scalar" and self.slips()))
        if found is None:
            return self._integer_leaf()
        text, typ = found
        if self.maybe(0.15):
            return self.pick(f"{text}++", f"++{text}", f"--{text}", f"{text}--")
        if is_integer(typ) and self.maybe(0.2):
            operator = self.pick("|=", "&=", "^=", "<<=", ">>=", "/=", "%=")
            tame = {"<": "{} & 7", ">": "{} & 7", "/": "({}) | 1", "%": "({}) | 1"}.get(operator[0], "{}")
            return f"{text} {operator} {self.integer(depth) if self.slips() else tame.format(self.integer(depth))}"
        return f"{text} {self.pick('=', '=', '+=', '-=', '*=')} {self.of_type(typ, depth)}"

    def statement(self, depth: int) -> str:
        """One statement."""
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.chosen(_SIMPLE)(self, 2)
        return self.chosen(_STATEMENTS)(self, depth)

    def block(self, depth: int, count: int = 0) -> str:
        """Statements in braces, with declarations of their own."""
        self.scopes.append([])
        made = [self._declaration(2)] if self.maybe(0.25) else []
        made += [self.statement(depth) for _ in range(count or self.random.randint(1, 3))]
        self.scopes.pop()
        return f"{{ {' '.join(made)} }}"

    def _plain_block(self, depth: int) -> str:
        return self.block(depth - 1)

    def _assignment(self, depth: int) -> str:
        return f"{self.effect(depth)};"

    def _if(self, depth: int) -> str:
        text = f"if ({self.condition(2)}) {self.block(depth - 1)}"
        return f"{text} else {self.block(depth - 1)}" if self.maybe(0.4) else text

    def _bound(self) -> str:
        lengths = [d for v in self.visible(lambda v: v.kind in ("array", "pointer")) for d in v.dims]
        return self.random.choice([*lengths, *lengths, str(self.random.randint(1, 9))])

    def _looped(self, depth: int, name: str, bound: str, continues: bool = True) -> str:
        """A body in which a variable counts to a bound."""
        outer = self.breaks, self.continues
        self.breaks, self.continues = True, continues
        self.scopes.append([Variable(name, "int64_t", is_const=True)])
        self.loops.append((name, bound))
        body = self.block(depth - 1)
        self.loops.pop()
        self.scopes.pop()
        self.breaks, self.continues = outer
        return body

    def _for(self, depth: int) -> str:
        name, bound = self.fresh("i"), self._bound()
        typ = self.pick("int64_t", "int64_t", "int64_t", "int", "size_t", "uint32_t")
        body = self._looped(depth, name, bound)
        pragma = self.pick("", "", "", "", "\n#pragma clang loop unroll_count(2)\n  ")
        if typ[0] == "i" and self.maybe(0.15):
            least = "1" if self.slips() else "0"
            return f"{pragma}for ({typ} {name} = {self.slipped(f'{bound} - 1')}; {name} >= {least}; {name}--) {body}"
        limit = self.slipped(bound)
        compare = self.pick("<=", ">", "!=") if self.slips() else "<"
        first = f"{self.integer(1)}" if self.slips() else "0"
        step = (
            self.pick("", f"{name}--", f"{name} *= 2")
            if self.slips()
            else self.pick(f"{name}++", f"++{name}", f"{name} += 2")
        )
        return f"{pragma}for ({typ} {name} = {first}; {name} {compare} {limit}; {step}) {body}"

    def _while(self, depth: int) -> str:
        name, bound = self.fresh("w"), self._bound()
        step = "" if self.slips() else f"{name}++;"
        body = self._looped(depth, name, bound, continues=self.slips())
        return f"{{ int64_t {name} = 0; while ({name} < {self.slipped(bound)}) {{ {body} {step} }} }}"

    def _do(self, depth: int) -> str:
        name = self.fresh("w")
        body = self._looped(depth, name, str(self.random.randint(1, 5)), continues=False)
        until = self.pick(name, "1") if self.slips() else f"++{name} < {self.random.randint(1, 5)}"
        return f"{{ int64_t {name} = 0; do {body} while ({until}); }}"

    def _walk(self, depth: int) -> str:
        """A pointer that goes through an array, to its end or for its length."""
        typ, writable = self.pick(*ELEMENTS), self.maybe(0.5)
        base, length = self.pointer(typ, writable, depth)
        name, other, limit = self.fresh("p"), self.fresh("e"), self.slipped(length)
        const = "" if writable else "const "
        act = f"*{name} = {self.of_type(typ, 1)}; {name}++;" if writable else f"{self._sum(f'*{name}++')};"
        loops = (
            f"for (int64_t {other} = 0; {other} < {limit}; {other}++) {{ {act} }}",
            f"const {typ} *{other} = {name} + ({limit}); while ({name} {self.pick('<', '!=')} {other}) {{ {act} }}",
        )
        return f"{{ {const}{typ} *{self.pick('', 'restrict ')}{name} = {base}; {self.pick(*loops)} }}"

    def _sum(self, text: str) -> str:
        found = self.place(lambda v: v.kind == "scalar" and not v.is_const)
        return f"{found[0]} += {text}" if found else f"(void)({text})"

    def _switch(self, depth: int) -> str:
        outer, self.breaks = self.breaks, True
        labels = [f"case {i}:" for i in self.random.sample(range(6), 3)] + ["default:"]
        cases = (f"{label} {self.block(depth - 1)} {self.pick('break;', 'break;', '')}" for label in labels)
        text = f"switch (({self.integer(2)}) % 6) {{ {' '.join(cases)} }}"
        self.breaks = outer
        return text

    def _goto(self, depth: int) -> str:
        label, name = self.fresh("L"), self.fresh("g")
        if self.maybe(0.5):
            return f"{{ if ({self.condition(1)}) goto {label}; {self.block(depth - 1)} {label}: {self._simple(1)} }}"
        step = f"{name} > 0" if self.slips() else f"--{name} > 0"
        return f"{{ int64_t {name} = 3; {label}: {self.block(depth - 1)} if ({step}) goto {label}; }}"

    def _jump(self, depth: int) -> str:
        options = [*(["break;"] if self.breaks else []), *(["continue;"] if self.continues else [])]
        jump = self.pick(*options) if options and self.maybe(0.8) else self._return(1)
        return f"if ({self.condition(1)}) {jump}"

    def _call(self, depth: int) -> str:
        known = self._callable()
        return f"{self.call(self.random.choice(known), 2)};" if known else self._assignment(2)

    def _memory(self, depth: int) -> str:
        """Memcpy and its family, with lengths in bytes."""
        typ = self.pick(*ELEMENTS, *self.fields)
        (to, room), (source, length) = self.pointer(typ, True, depth), self.pointer(typ, False, depth)
        count = self.slipped(self.pick(room, "1", "0", f"(({room}) < ({length}) ? ({room}) : ({length}))"))
        size = self.pick("sizeof(double)", "8") if self.slips() else f"sizeof({typ})"
        name = self.pick("memcpy", "memmove", "memset")
        return f"{name}({to}, {self.pick('0', '1', '255') if name == 'memset' else source}, ({count}) * {size});"

    def _pointed(self, depth: int) -> str:
        """A pointer variable set to something else, or moved; where it outlives an object, that is a slip."""
        found = self.visible(
            lambda v: v.kind == "pointer" or (v.kind == "array" and bool(_PARAMETER.fullmatch(v.name)))
        )
        if not found:
            return self._assignment(depth)
        variable = self.random.choice(found)
        if variable.kind == "array":  # a parameter is a pointer, which may be moved
            return self.pick(f"{variable.name}++;", f"{variable.name} += {self.inner()};", f"{variable.name}--;")
        if self.slips():
            name = variable.name
            return self.pick(f"{name}++;", f"{name} -= {self.integer(1)};", f"{name} = NULL;",
                             self._dangling(variable))  # fmt: skip
        text, length = self.pointer(variable.type, not variable.is_const, depth)
        return (
            f"if ({self._integer_leaf()} < ({length}) && ({length}) >= ({variable.dims[0]})) {variable.name} = {text};"
        )

    def _rows(self, depth: int) -> str:
        """A pointer to rows of an array."""
        found = self.visible(lambda v: v.kind == "array" and len(v.dims) == 2)
        if not found:
            return self._for(depth)
        array, name = self.random.choice(found), self.fresh("r")
        row, other = self.index(array.dims[0]), self.index(array.dims[0])
        column, width = self.index(array.dims[1]), self.slipped(array.dims[1])
        places = (f"{name}[{other} - ({row})][{column}]", f"(*{name})[{column}]", f"*(*({name} + {other}) + {column})",
                  f"(*{name}++)[{column}]", f"**{name}", f"(int64_t)({name} - {array.name})")  # fmt: skip
        const = "const " if array.is_const else ""
        used = self._sum(self.pick(*places))
        return (
            f"{{ {const}{array.type} (*{name})[{width}] = {self.pick(f'{array.name} + {row}', array.name)}; {used}; }}"
        )

    def _bytes(self, depth: int) -> str:
        """The bytes of an object as numbers: of its padding too, and of a union's longer members."""
        found = self.visible(lambda v: v.kind not in _UNADDRESSED and (is_struct(v.type) or v.type == "long double"))
        if not found:
            return self._struct(depth) if self.fields else self._scalar(depth)
        seen, name, at = self.object(self.random.choice(found)), self.fresh("y"), self.fresh("o")
        typ = self.pick("uint8_t", "int32_t", "int64_t")
        size = f"sizeof({seen})"
        count = self.slipped(f"({size} < sizeof {name} ? {size} : sizeof {name})")
        start = self.pick("0", f"{size} - ({count})", f"(uint64_t)({self.inner()}) % ({size} - ({count}) + 1)")
        read = self.pick(
            f"memcpy(&{name}, {at} + ({start}), {count});",
            f"for (size_t {name}i = 0; {name}i < {self.slipped(size)}; {name}i++) "
            f"{name} = ({typ})({name} * 31u + {at}[{name}i]);",
        )
        self.scopes.append([Variable(name, typ)])
        used = self.pick(f"{self._sum(name)};", self._assignment(2), f"{self._sum(f'7 / ({name} | 1)')};")
        self.scopes.pop()
        return f"{{ {typ} {name} = 0; const uint8_t *{at} = (const uint8_t *)&{seen}; {read} {used} }}"

    def _struct_copy(self, depth: int) -> str:
        """A whole struct assigned."""
        found = self.visible(lambda v: v.type in self.fields and not v.is_const)
        if not found:
            return self._assignment(depth)
        variable = self.random.choice(found)
        return f"{self.object(variable)} = {self._struct_value(variable.type, 1)};"

    def _dangling(self, variable: Variable) -> str:
        length = self.pick("4", "n", self._bound())
        inner = self.fresh("a")
        return f"{{ {variable.type} {inner}[{length} + 1]; {variable.name} = {inner}; }} {self._assignment(1)}"

    def _simple(self, depth: int) -> str:
        return self.chosen(_SIMPLE)(self, depth)

    def _declaration(self, depth: int) -> str:
        return self.chosen(_DECLARATIONS)(self, depth)

    # -- declarations -------------------------------------------------------------------------------------------------

    def _scalar(self, depth: int) -> str:
        name, typ = self.named("v"), self.pick(*INTEGERS, *REALS)
        value = "" if self.slips() else f" = {self.of_type(typ, depth)}"
        words = self.pick("", "", "", "", "volatile ", "register ")
        self.declare(Variable(name, typ, "register" if words else "scalar"))
        return f"{words}{typ} {name}{value};"

    def _fixed_array(self, depth: int) -> str:
        name, typ = self.named("a"), self.pick(*ELEMENTS, *self.fields)
        dims = tuple(str(self.random.randint(1, 9)) for _ in range(self.random.choice((1, 1, 1, 2, 3))))
        value = "" if self.slips() else " = {0}" if is_struct(typ) or self.maybe(0.6) else f" = {self._braces(dims)}"
        if typ in self.fields and is_struct(self.fields[typ][0].type):
            value = ""
        self.declare(Variable(name, typ, "array", dims))
        return f"{typ} {name}{_brackets(dims)}{value};"

    def _variable_array(self, depth: int) -> str:
        name, typ = self.named("a"), self.pick(*ELEMENTS, *self.fields)
        bound = self._bound()
        length = self.fresh("n")
        self.declare(Variable(length, "int64_t", is_const=True))
        dims = (length, *(("3",) if self.maybe(0.3) else ()))
        self.declare(Variable(name, typ, "array", dims))
        return f"int64_t {length} = {self.slipped(bound)} + 1; {typ} {name}{_brackets(dims)};"

    def _pointer_variable(self, depth: int) -> str:
        name, typ, is_const = self.named("p"), self.pick(*ELEMENTS, *self.fields), self.maybe(0.4)
        text, length = self.pointer(typ, not is_const, depth)
        self.declare(Variable(name, typ, "pointer", (f"({length})",), is_const))
        value = "" if self.slips() else f" = {text}"
        return f"{'const ' if is_const else ''}{typ} *{self.pick('', '', 'restrict ')}{name}{value};"

    def _struct(self, depth: int) -> str:
        if not self.fields:
            return self._scalar(depth)
        name, typ = self.named("s"), self.pick(*self.fields)
        value = self.pick("", " = {0}", f" = {self._struct_value(typ, 1)}")
        self.declare(Variable(name, typ))
        return f"{typ} {name}{value};"

    def _static_table(self, depth: int) -> str:
        name, typ, dims = self.fresh("c"), self.pick(*ELEMENTS), (str(self.random.randint(2, 6)),)
        self.declare(Variable(name, typ, "array", dims, is_const=True))
        return f"static const {typ} {name}{_brackets(dims)} = {self._braces(dims)};"

    def _allocated(self, depth: int) -> str:
        """Memory from the arena, given back or not, once or twice."""
        if not self.arena:
            return self._fixed_array(depth)
        name, typ, length = self.named("p"), self.pick(*ELEMENTS), self._bound()
        size = f"({self.slipped(length)}) * sizeof({typ})"
        made = self.pick(f"malloc({size})", f"calloc({self.slipped(length)}, sizeof({typ}))", f"realloc(NULL, {size})")
        self.declare(Variable(name, typ, "pointer", (length,)))
        after = self.pick("", "", f"{name} = realloc({name}, 2 * {size});", f"free({name});" if self.slips() else "")
        return f"{typ} *{name} = {made}; {after}"


_W = Writer
_INTEGER = (
    (8, _W._arithmetic), (3, _W._division), (2, _W._shift), (2, _W._integer_choice), (3, _W._integer_cast),
    (2, _W._integer_sign), (1, _W._comma), (1, _W._size), (1, _W._difference), (3, _W._integer_call),
    (1, _W._integer_library), (1, _W._integer_assignment), (1, _W._integer_member),
)  # fmt: skip
_REAL = (
    (8, _W._real_arithmetic), (2, _W._real_choice), (3, _W._real_library), (3, _W._real_call), (2, _W._real_cast),
    (1, _W._real_split),
)  # fmt: skip
_SIMPLE = ((10, _W._assignment), (2, _W._call), (2, _W._memory), (1, _W._jump), (2, _W._pointed))
_DECLARATIONS = (
    (5, _W._scalar), (4, _W._fixed_array), (2, _W._variable_array), (4, _W._pointer_variable), (3, _W._struct),
    (1, _W._static_table), (1, _W._allocated),
)  # fmt: skip
_STATEMENTS = (
    (8, _W._assignment), (3, _W._if), (6, _W._for), (2, _W._while), (1, _W._do), (3, _W._walk), (1, _W._switch),
    (1, _W._goto), (1, _W._jump), (3, _W._call), (2, _W._memory), (2, _W._pointed), (4, _W._declaration),
    (1, _W._plain_block), (2, _W._rows), (1, _W._struct_copy), (2, _W._bytes),
)  # fmt: skip


def _param(text: str) -> Variable:
    """A parameter of a declaration."""
    const, typ, star, name, brackets = _PARAM.fullmatch(text).groups()  # type: ignore[union-attr]
    dims = tuple(re.findall(r"\w+", brackets))
    if star:
        return Variable(name, typ, "pointer", ("1",), bool(const))
    # Lengths are left alone: what is written to one is what the loops would count to.
    return Variable(name, typ, "array" if dims else "scalar", dims, bool(const) or (not dims and name in "nml"))


def _brackets(dims: tuple[str, ...]) -> str:
    return "".join(f"[{d}]" for d in dims)


def _prototype(function: Function) -> str:
    """The head of a helper."""
    listed = ", ".join(
        f"{'const ' if p.is_const and p.kind != 'scalar' else ''}{p.type} {'*' if p.kind == 'pointer' else ''}{p.name}"
        + (_brackets(p.dims) if p.kind == "array" else "")
        for p in function.params
    )
    return f"static {function.returns} {function.name}({listed})"
