"""The types that the checks believe calls to have are clang's own, for every function of the table."""

import functools
import itertools
from dataclasses import replace

import pytest
from pycparser import c_ast

from symbiont_jit.backend.clang import SYNTAX, clang
from symbiont_jit.backend.unit import Unit
from symbiont_jit.c.tree import parse, walk
from symbiont_jit.c.type_reader import TypeReader
from symbiont_jit.c.types import Arithmetic, Refused, promote, spelling_of
from symbiont_jit.c.vocabulary import ARENA_FUNCTIONS, FUNCTIONS
from symbiont_jit.instrument.bounds import object_bounds
from symbiont_jit.instrument.scopes import Symbol
from symbiont_jit.instrument.unit import open_context

#: Variables of each scalar type, by name.
VARIABLES = {
    "c": "int8_t",
    "h": "uint16_t",
    "i": "int32_t",
    "u": "uint32_t",
    "l": "int64_t",
    "m": "uint64_t",
    "b": "bool",
    "f": "float",
    "d": "double",
    "q": "long double",
    "z": "double _Complex",
    "w": "float _Complex",
    "p": "double *",
    "s": "float *",
    "t": "int *",
}
#: Hints have no value, and these take types or memory.
NO_VALUE = {"__builtin_assume", "__builtin_unreachable", "__builtin_prefetch", "__builtin_assume_aligned", "offsetof"}
NAMES = sorted(FUNCTIONS.keys() - NO_VALUE - set(ARENA_FUNCTIONS))


def calls_of(function, counts):
    """Calls with these numbers of arguments: of every type, those of the first argument in all combinations."""
    if 0 in counts:
        yield f"{function}()"
    if 1 in counts:
        yield f'{function}("")'
    for count in counts & {1, 2, 3}:
        for first, others in itertools.product(VARIABLES, "imfdqpst" if count > 1 else "i"):
            yield f"{function}({', '.join([first, *[others] * (count - 1)])})"
            if count == 3:
                yield f"{function}({first}, {others}, i)"


@functools.cache
def counts_of(function):
    """The numbers of arguments, up to three, that clang does not find too few or too many."""
    lines = [f"__typeof__({function}({', '.join('i' * count)})) *v{count};\n" for count in range(4)]
    found = findings_of(lines)
    return {n for n in range(4) if not any(f.line == n and "arguments" in f.message for f in found)}


def expression_of(text):
    """The tree of an expression."""
    tree = parse(f"void k(void) {{ {text}; }}")
    return next(node for node in walk(tree) if isinstance(node, c_ast.FuncCall))


@functools.cache
def types_of_variables():
    """The types of the variables, by name."""
    reader = TypeReader()
    return {name: reader.read(parse(f"{typ} {name};").ext[0].type) for name, typ in VARIABLES.items()}


def believed_type(text):
    """The type that the checks give an expression over the variables."""
    context = open_context("", "safe")
    for name, typ in types_of_variables().items():
        context.declare(name, Symbol(typ, 1, name, object_bounds(name)))
    return context.evaluate(expression_of(text)).type


def declared(condition=""):
    """A unit that declares the variables and asserts something."""
    return Unit("".join(f"extern {typ} {name};\n" for name, typ in VARIABLES.items()) + condition, ())


#: How many lines clang is asked about at a time: it may write so much about each that more would be too much.
AT_A_TIME = 60


def findings_of(lines):
    """What clang finds in the lines, whose numbers are from 0."""
    kept = []
    for start in range(0, len(lines), AT_A_TIME):
        text = declared("".join(lines[start : start + AT_A_TIME])).c_text()
        found = clang().lower(text, SYNTAX, ("-ferror-limit=0",))
        first = len(VARIABLES) + 1 - start
        kept += [replace(each, line=each.line - first) for each in found] if isinstance(found, list) else []
    return kept


def errors_of(lines):
    """The numbers of the lines, from 0, that clang finds something in."""
    return {found.line for found in findings_of(lines)}


@pytest.mark.slow
@pytest.mark.parametrize("function", NAMES)
def test_a_call_has_the_type_that_clang_gives_it(function):
    """Whatever the arguments, the value of a call has the type, after promotion, that the checks compute with."""
    calls = list(dict.fromkeys(calls_of(function, counts_of(function))))
    refused = errors_of([f"__typeof__({call}) *v{n};\n" for n, call in enumerate(calls)])
    accepted = [call for n, call in enumerate(calls) if n not in refused]
    assert accepted
    asserted = []
    for call in accepted:
        try:
            typ = promote(believed_type(call))
        except (Refused, LookupError, TypeError, AssertionError):  # `instrument` refuses what it stumbles over.
            continue
        if isinstance(typ, Arithmetic):  # Functions that return a pointer return their first argument.
            asserted.append((call, spelling_of(typ)))
    wrong = errors_of([f'_Static_assert({is_of_type(*row)}, "");\n' for row in asserted])
    assert [row for n, row in enumerate(asserted) if n in wrong] == []


def is_of_type(call, spelling):
    """The condition in C that a call has a type, after promotion; `long` and `long long` are the same here."""
    value = call if "_Complex" in spelling else f"+({call})"
    same = f"__builtin_types_compatible_p(__typeof__({value}), {spelling})"
    return f"{same} || __builtin_types_compatible_p(__typeof__({value}), long long)" if spelling == "int64_t" else same
