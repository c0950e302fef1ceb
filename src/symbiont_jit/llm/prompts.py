"""What a model is told: the contract, the task, and what was wrong with its last answer.

In: signatures, the tables that the checker enforces, a rejection. Out: whole texts. A correction quotes the lines that
are meant, with a caret, and asks for a change of these alone.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from symbiont_jit.c import vocabulary
from symbiont_jit.frontend.check import RULES
from symbiont_jit.llm.rejections import Rejection
from symbiont_jit.runtime.panics import PANICS
from symbiont_jit.signature import ArrayType, Mode, Param, Signature

__all__ = ["CORRECTIONS", "write_correction", "write_fresh_start", "write_system_prompt", "write_task_prompt"]

MAX_MESSAGE: Final = 6_000
_WIDTH: Final = 110


@functools.cache
def write_system_prompt() -> str:
    """Write the contract; it is equal for all kernels, so that servers can keep it in their caches."""
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
{_wrap(types)}.

Functions that may be called besides your own:
{_wrap(functions)}.
malloc and its family work on memory that is gone when the call ends; 64 MiB in all.

Pragmas: {pragmas}.

Rules:
{rules}

Pointers are followed to the array they point into: keep them in variables and parameters, never in structs, arrays or
integers, and do not return them.

While your code runs, these end the call and are reported to you:
{panics}
"""


def write_task_prompt(signatures: Sequence[Signature], task: str, current: str | None) -> str:
    """Write the task: prototypes, what their parameters mean, the present body, and the user's words."""
    structs = "".join(dict.fromkeys(r.c_definition for s in signatures for r in s.records))
    parts = [_write_heading(signatures)]
    if structs:
        parts.append(f"These structs are declared for you; leave them out:\n\n{_fence(structs)}")
    parts.append(_fence("".join(f"{s.c_prototype};\n" for s in signatures)))
    parts += [_describe(s) for s in signatures]
    if current is not None:
        parts.append(f"The present code:\n\n{_fence(current)}")
    parts.append(task.strip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _write_heading(signatures: Sequence[Signature]) -> str:
    if len(signatures) == 1:
        return f"Write the C function `{signatures[0].name}`:"
    names = ", ".join(f"`{s.name}`" for s in signatures)
    return f"Write the C functions {names}, all of them in one block; they may call each other:"


def _describe(signature: Signature) -> str:
    rows = [f"- `{p.name}`: {_describe_parameter(p)}" for p in signature.params]
    doc = textwrap.dedent(signature.doc).strip()
    return "\n".join([*([f"`{signature.name}`: {doc}"] if doc else []), *rows])


def _describe_parameter(param: Param) -> str:
    if not isinstance(param.type, ArrayType):
        return f"{param.type}, by value"
    use = {Mode.IN: "read only", Mode.OUT: "written by you", Mode.INOUT: "read and changed by you"}[param.mode]
    shape = " by ".join(map(str, param.type.dims))
    return f"{f'array of {shape}' if shape else 'one value by reference'}, {use}"


#: What a correction says before and after its message, by the kind of rejection.
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


def write_correction(rejection: Rejection) -> str:
    """Write the next message to the model: what was wrong, and what to do about it."""
    before, after = CORRECTIONS[rejection.kind]
    return f"{before}\n\n{_shorten(rejection.message.rstrip())}\n\n{after}\n"


def write_fresh_start(base: str, rejection: Rejection) -> str:
    """Write the task for a conversation that begins anew; the refused code is not shown, lest it be copied."""
    return (
        f"{base}\nAn earlier answer to this was refused twice in the same words ({rejection.brief}). "
        "Do not repeat it: write the function in another way.\n"
    )


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}\n... (shortened)"


def _fence(code: str) -> str:
    return f"```c\n{code.rstrip()}\n```"


def _wrap(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False)
