"""Candidates from text that exists: the corpora of the tests and generated ones, with bytes and tokens changed.

In: a `random.Random`. Out: a `Case` whose text is a known one with some words deleted, doubled, exchanged, replaced by
hostile ones or by others of the same kind, or joined with a second text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz.cases import Case
from fuzz.generator import HOSTILE_NUMBERS, generated

__all__ = ["corpus", "mutated"]

_TOKENS = re.compile(r"\w+|\s+|[-+*/%&|^<>=!]=|<<|>>|&&|\|\||->|\+\+|--|\S")
HOSTILE_TOKENS = (
    *HOSTILE_NUMBERS, "goto", "sj_f", "sj_panic", "__asm__", "__attribute__", "&", "*", "**", "[", "]", "(", ")",
    "{", "}", ";", ",", "sizeof", "(char *)", "(double (*)[2])", "(struct P *)", "NULL", "0", "?", ":", "\\\n", "#",
    "\n#define n 1\n", "/*", "*/", "//", '"', "'", "\0", "\x80", "volatile", "restrict", "static", "const", "union",
    "typedef", "malloc(8)", "free", "++", "--", "->", "memcpy", "while (1)", "return", "_Complex",
    "__builtin_unreachable()", "n", "k", "1e400", "int64_t n = 1 << 20;", "(1, ", "-", "~", "!", "{0}", "[n]", "[0]",
    "_Pragma", "case 1:", "default:", "else", "do",
)  # fmt: skip
_POINT = "struct Point { double x; double y; int32_t weights[2]; };\n"
#: The corpora's kernels in C, by the name that their texts use.
_DECLARATIONS = {
    "scalar": "double scalar(double x, double y)",
    "dot": "double dot(int64_t n, const double x[n], const double y[n])",
    "matmul": "void matmul(int64_t m, int64_t k, int64_t n, "
    "const double a[m][k], const double b[k][n], double c[m][n])",
    "fill": "void fill(int64_t n, double out[n], double value)",
    "rows": "double rows(int64_t n, const double a[n][10])",
    "length": _POINT + "double length(const struct Point *p)",
    "centre": _POINT + "void centre(int64_t n, const struct Point points[n], struct Point *out)",
    "sort": "void sort(int64_t n, double x[n])",
    "total": "int64_t total(int64_t a, int64_t b)",
    "trick": "double trick(double x)",
}


@functools.cache
def corpus() -> tuple[Case, ...]:
    """The texts of the tests' corpora: files, attacks, hostile rows."""
    from tests.attacks.files import attacks, rows
    from tests.attacks.generated import GENERATED

    made = []
    for path in sorted((Path(__file__).parents[1] / "tests" / "frontend" / "corpus").rglob("*.c")):
        text = path.read_bytes().decode("utf-8", "replace")
        key = re.search(r"^// signature: (\w+)", text, re.MULTILINE)
        if key is not None and key[1] in _DECLARATIONS:
            made.append(Case(f"file {path.stem}", _DECLARATIONS[key[1]], text))
    made += [
        Case(f"attack {attack.name}", attack.signature, attack.text)
        for attack in attacks()
        if "complex" not in attack.signature and len(attack.text) < 20_000
    ]
    made += [
        Case(f"hostile {row.name}", _DECLARATIONS[row.kernel], row.text)
        for row in (*rows(), *GENERATED)
        if isinstance(row.text, str) and len(row.text) < 20_000 and row.kernel in _DECLARATIONS
    ]
    return tuple(made)


def mutated(random: Random) -> Case:
    """A known text, changed in some places."""
    case = generated(random) if random.random() < 0.3 else random.choice(corpus())
    assert isinstance(case.text, str)
    words = _TOKENS.findall(case.text)
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 6))):
        if words:
            change = random.choices([row for _, row in _CHANGES], [weight for weight, _ in _CHANGES])[0]
            words = change(words, random)
    text = "".join(words)
    made: str | bytes = _with_bytes(text, random) if random.random() < 0.05 else text
    return Case(f"mutated {case.origin}", case.declaration, made)


def _at(words: list[str], random: Random, accepts: Callable[[str], bool]) -> int:
    """The place of a word of some kind; any place where there is none."""
    places = [i for i, word in enumerate(words) if accepts(word)]
    return random.choice(places) if places else random.randrange(len(words))


def _deleted(words: list[str], random: Random) -> list[str]:
    start = random.randrange(len(words))
    return words[:start] + words[start + random.choice((1, 1, 1, 2, 5)) :]


def _doubled(words: list[str], random: Random) -> list[str]:
    start = random.randrange(len(words))
    part = words[start : start + random.choice((1, 2, 5, 20))]
    return words[:start] + part * random.choice((2, 2, 3, 50)) + words[start + len(part) :]


def _exchanged(words: list[str], random: Random) -> list[str]:
    one, other = random.randrange(len(words)), random.randrange(len(words))
    words = list(words)
    words[one], words[other] = words[other], words[one]
    return words


def _hostile(words: list[str], random: Random) -> list[str]:
    place = random.randrange(len(words))
    return [*words[:place], f" {random.choice(HOSTILE_TOKENS)} ", *words[place + random.randrange(2) :]]


def _same_kind(accepts: Callable[[str], bool], others: tuple[str, ...]) -> Callable[[list[str], Random], list[str]]:
    """A word of a kind replaced by another of its kind: what comes of that is C more often."""

    def change(words: list[str], random: Random) -> list[str]:
        place = _at(words, random, accepts)
        options = [*others, *(w for w in words if accepts(w))] or [" "]
        return [*words[:place], random.choice(options), *words[place + 1 :]]

    return change


def _joined(words: list[str], random: Random) -> list[str]:
    other = random.choice(corpus()).text
    assert isinstance(other, str)
    found = _TOKENS.findall(other) or [" "]
    start = random.randrange(len(found))
    if random.random() < 0.5:
        return words[: random.randrange(len(words))] + found[start:]
    place = random.randrange(len(words))
    return words[:place] + found[start : start + random.randint(1, 20)] + words[place:]


def _with_bytes(text: str, random: Random) -> bytes:
    """The text as bytes, some of which are others now."""
    made = bytearray(text.encode("utf-8", "replace"))
    for _ in range(random.randint(1, 4)):
        if made:
            made[random.randrange(len(made))] = random.randrange(256)
    return bytes(made)


def _is_name(word: str) -> bool:
    return word[0].isalpha() or word[0] == "_"


_CHANGES: tuple[tuple[int, Callable[[list[str], Random], list[str]]], ...] = (
    (2, _deleted),
    (2, _doubled),
    (1, _exchanged),
    (2, _hostile),
    (4, _same_kind(_is_name, ())),
    (4, _same_kind(str.isdigit, HOSTILE_NUMBERS)),
    (3, _same_kind(lambda w: w in "+ - * / % & | ^ << >> && || == != < > <= >= = += -= ++ --".split(), ())),
    (1, _joined),
)
