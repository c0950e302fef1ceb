"""Print docs/candidates.md from the checker's tables: python docs/print_candidates.py."""

from symbiont_jit.c import vocabulary
from symbiont_jit.frontend.check import REFUSED_NODES, RULES


def page() -> str:
    """The page as text."""
    functions = [f"`{f.prototype.rstrip(';')}`" for f in vocabulary.FUNCTIONS.values() if f.prototype]
    others = [f"`{f.name}`" for f in vocabulary.FUNCTIONS.values() if not f.prototype]
    lines = [
        "# What a body may contain",
        "",
        "Printed from the tables that enforce it (`python docs/print_candidates.py`).",
        "",
        "C11: functions, types, `static const` tables, and one function with the declared name and prototype.",
        "Helpers may have any name that no library function and no standard type has.",
        "",
        "## Rules",
        "",
        "| rule | in words |",
        "|---|---|",
        *(f"| `{name}` | {words} |" for name, words in RULES.items()),
        "",
        "Constructs that are refused by name:",
        "",
        *(f"- {message}" for message in dict.fromkeys(m for _, m in REFUSED_NODES.values())),
        "",
        "## Functions",
        "",
        ", ".join(functions),
        "",
        "Macros and builtins: " + ", ".join(others),
        "",
        "## Constants",
        "",
        ", ".join(f"`{name}`" for name in vocabulary.CONSTANTS),
        "",
        "## Types",
        "",
        "`void`, `char`, `short`, `int`, `long`, `float`, `double`, `_Bool` with `signed` and `unsigned`, and "
        + ", ".join(f"`{name}`" for name in vocabulary.TYPEDEFS),
        "",
        "## Pragmas and headers",
        "",
        *(f"- `#pragma {name}`" for name in vocabulary.PRAGMAS),
        "- `#include` of " + ", ".join(f"`<{name}>`" for name in sorted(vocabulary.HEADERS)) + ": dropped",
        "- `#define`, `#undef`, `#if` and its family: expanded before the text is read",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
