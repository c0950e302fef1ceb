"""What a model is told: the contract, the task, and what was wrong with its last answer.

In: signatures, the tables that the checker enforces, a failure. Out: whole texts. A correction quotes the lines that
are meant, with a caret, and asks for a change of these alone.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from symbiont_jit.c import vocabulary
from symbiont_jit.frontend.check import RULES
from symbiont_jit.runtime.panics import PANICS
from symbiont_jit.signature import ArrayType, Mode, Param, Signature

__all__ = ["CORRECTIONS", "Failure", "correction", "fresh_start", "system_prompt", "task_prompt"]

MAX_MESSAGE: Final = 6_000
_WIDTH: Final = 110


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer was not taken: its kind, and what the model is told of it; `finding` is that without the code."""

    kind: str
    message: str
    code: str = ""
    finding: str = ""

    @property
    def brief(self) -> str:
        """One line of it."""
        return (self.finding or self.message).partition("\n")[0]


@functools.cache
def system_prompt() -> str:
    """The contract, the same for every kernel: servers can keep it in their caches."""
    functions = ", ".join(f.name for f in vocabulary.FUNCTIONS.values())
    types = ", ".join(vocabulary.TYPEDEFS)
    rules = "\n".join(f"- {words}" for words in RULES.values())
    pragmas = ", ".join(f"#pragma {name}" for name in vocabulary.PRAGMAS)
    panics = "\n".join(f"- {words}" for words in PANICS.values())
    return f"""\
You write C functions that replace the bodies of functions in a running program. Each answer is read by a strict
checker, compiled by clang and linked into the process. What is refused comes back to you with line and column.

Answer with one fenced block tagged `c` that has the whole function, with its helpers, and nothing else that is code.
The function has exactly the name and the prototype that you are given. Arrays are row-major and contiguous; the
lengths come first. Write only to parameters that are not const.

Language: C11. Types: void, char, short, int, long, float, double, _Bool with signed and unsigned, struct, union, enum,
{_wrapped(types)}.

Functions that may be called besides your own:
{_wrapped(functions)}.
malloc and its family work on memory that is gone when the call ends; 64 MiB in all.

Pragmas: {pragmas}.

Rules:
{rules}

Pointers are followed to the array they point into: keep them in variables and parameters, never in structs, arrays or
integers, and do not return them.

While your code runs, these end the call and are reported to you:
{panics}
"""


def task_prompt(signatures: Sequence[Signature], task: str, current: str | None) -> str:
    """What is to be written this time: prototypes, what they mean, the present body, and the user's words."""
    structs = "".join(dict.fromkeys(r.c_definition for s in signatures for r in s.records))
    parts = [_heading(signatures)]
    if structs:
        parts.append(f"These structs are declared for you; leave them out:\n\n{_fenced(structs)}")
    parts.append(_fenced("".join(f"{s.c_prototype};\n" for s in signatures)))
    parts += [_described(s) for s in signatures]
    if current is not None:
        parts.append(f"The present code:\n\n{_fenced(current)}")
    parts.append(task.strip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(signatures: Sequence[Signature]) -> str:
    if len(signatures) == 1:
        return f"Write the C function `{signatures[0].name}`:"
    names = ", ".join(f"`{s.name}`" for s in signatures)
    return f"Write the C functions {names}, all of them in one block; they may call each other:"


def _described(signature: Signature) -> str:
    rows = [f"- `{p.name}`: {_meaning(p)}" for p in signature.params]
    doc = textwrap.dedent(signature.doc).strip()
    return "\n".join([*([f"`{signature.name}`: {doc}"] if doc else []), *rows])


def _meaning(param: Param) -> str:
    if not isinstance(param.type, ArrayType):
        return f"{param.type}, by value"
    use = {Mode.IN: "read only", Mode.OUT: "written by you", Mode.INOUT: "read and changed by you"}[param.mode]
    shape = " by ".join(map(str, param.type.dims))
    return f"{f'array of {shape}' if shape else 'one value by reference'}, {use}"


#: What each kind of failure says before and after its message.
CORRECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "no_code": (
        "Your answer cannot be used:",
        "Answer with one fenced block tagged `c` that has the whole function.",
    ),
    "truncated": (
        "Your answer breaks off:",
        "Write it again, shorter: the code alone, without explanations.",
    ),
    "parse": (
        "Your code cannot be read as C:",
        "Correct what is flagged, change nothing else, and give the whole code again.",
    ),
    "signature": (
        "The function is not the one that is wanted:",
        "Give it exactly the prototype above and change nothing else; give the whole code again.",
    ),
    "forbidden": (
        "Your code uses what is not allowed:",
        "Change only what is flagged, and give the whole code again.",
    ),
    "compile": (
        "clang does not accept your code:",
        "Change only what is flagged, and give the whole code again.",
    ),
    "panic": (
        "Your code was run and did something wrong:",
        "Correct that place, change nothing else, and give the whole code again.",
    ),
    "crash": (
        "Your code ended the process that ran it:",
        "Look for accesses outside of arrays and for deep recursion, and give the whole code again.",
    ),
    "timeout": (
        "Your code did not come to an end in time:",
        "Look for a loop whose condition never becomes false, and give the whole code again.",
    ),
    "wrong": (
        "Your code runs, but its results are wrong:",
        "Correct the computation and give the whole code again.",
    ),
    "turn_limit": (
        "You have used up your tool calls without an answer:",
        "Answer now, with the code, and call no more tools.",
    ),
}


def correction(failure: Failure) -> str:
    """The next message to the model."""
    before, after = CORRECTIONS[failure.kind]
    return f"{before}\n\n{_bounded(failure.message.rstrip())}\n\n{after}\n"


def fresh_start(base: str, failure: Failure) -> str:
    """The task again, for a conversation that begins anew; the refused code is not shown, lest it be copied."""
    return (
        f"{base}\nAn earlier answer to this was refused twice in the same words ({failure.brief}). "
        "Do not repeat it: write the function in another way.\n"
    )


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}\n... (shortened)"


def _fenced(code: str) -> str:
    return f"```c\n{code.rstrip()}\n```"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False)
