"""What a model is told: the contract, the task, and what was wrong with its last answer.

In: a machine, what is known of a task, a rejection. Out: whole texts; `docs/prompts.md` shows one of each. The contract
names the C that is accepted in words that a model knows, and what is refused, so that it is not tried. A correction
quotes the lines that are meant, with a caret, and says what to do instead.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from symbiont_jit.backend.machine import Machine, describe_machine
from symbiont_jit.evaluate.facts import TaskFacts
from symbiont_jit.llm.rejections import Rejection
from symbiont_jit.signature import ArrayType, Mode, Param, Signature

__all__ = [
    "CORRECTIONS",
    "TaskDescription",
    "write_correction",
    "write_fresh_start",
    "write_system_prompt",
    "write_task_prompt",
]

MAX_MESSAGE: Final = 6_000
#: How many lessons of a conversation the next one begins with, and how many remarks of the compiler a task has.
MAX_LESSONS: Final = 8
MAX_REMARKS: Final = 6

_CONTRACT: Final = """\
You write C functions for a numerical program that is running. A function you write replaces the present one while the
program runs, if it passes: it is checked, compiled, run, mostly compared with a reference, and timed.

# Answer
One fenced block tagged `c` with the complete function and its helpers. Before it, at most two sentences: what you
change and why it is better. Nothing after it, no other code, no main, no tests.

# Contract
- Exactly the prototype you are given: parameters may have other names, but not another order or other types.
- Arrays are row-major and contiguous. Index them as declared (`u[i][j]`); `const double *p = &u[0][0]` is fine too.
- Write every element of an array that is "written by you"; its old content is undefined. Never write to const.
- No state survives a call, no I/O, no threads. malloc and its family work inside a call (64 MiB, freed at its end).
- Lengths vary from call to call, and may be 0, 1 or no multiple of anything, unless the task says otherwise.

# The C that is accepted
C11: loops, goto, structs, unions, enums, VLAs, macros, `static const` tables, helper functions, `restrict`, `inline`,
`_Complex`. No #include is needed. Callable: all of <math.h> (but scalbln, remquo, nexttoward, nan, fpclassify) and
<complex.h> for double and float, memcpy, memmove, memset, memcmp, malloc and its family, abs, and the __builtin_
functions popcount/clz/ctz/parity/ffs (with l, ll), bswap16/32/64, expect, assume, unreachable, prefetch,
assume_aligned, fma. M_PI, INFINITY, DBL_MAX, INT64_MAX and the like are defined.
Refused, so do not try: SIMD intrinsics and vector types (<immintrin.h>, __m256d, vector_size), OpenMP and threads,
`__attribute__`, `__restrict__` (write `restrict`), typeof, `({ ... })`, inline assembly, function pointers and qsort,
printf, assert, variables that keep a value between calls, pointers inside structs or arrays, 128-bit integers, C++,
names that begin with __ or sj_.

# How it is compiled, and what makes it fast
%COMPILER% -O3 -march=native, one thread, on %MACHINE%.
The compiler vectorises plain loops well. What stops it, and what you can do:
- Floating sums, products, minima: it must keep their order. Allow another one with `#pragma clang fp reassociate(on)`
  as the first line of a block, or keep 8 to 16 independent accumulators. (A dot product gets 3 times faster or more.)
- Fused multiply-add is off; `#pragma clang fp contract(fast)` as the first line of a block turns it on.
- Possible aliasing: take rows as `double *restrict q = out[i];`, or put `#pragma clang loop vectorize(assume_safety)`
  on the line before the loop.
- Other options of `clang loop`: `unroll_count(4)`, `interleave_count(4)`, `vectorize_width(8)`, `unroll(disable)`.
- Memory first: unit stride in the innermost loop, block for L1/L2, read each element once, hoist what does not change,
  turn divisions into multiplications by a reciprocal computed once, split off borders instead of testing inside.
Results may differ from the reference by rounding only: reordering is fine, float in place of double is not.

# While it runs
Out-of-bounds access, use after free, division by zero, signed overflow, bad shifts, bad alignment, endless loops and
deep recursion end the call and are reported to you with the line. They cost the score, so get the borders right first.
"""


def write_system_prompt(machine: Machine | None = None) -> str:
    """Write the contract; it is equal for all kernels of a process, so that servers can keep it in their caches."""
    here = machine or describe_machine()
    return _CONTRACT.replace("%COMPILER%", here.compiler).replace("%MACHINE%", str(here))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDescription:
    """What is known of a task.

    Attributes:
        signatures: The functions to write.
        words: What the user wants.
        reference: The Python functions that say what to compute; nothing where there are none.
        current: The present C, as its author wrote it; None where there is none.
        remarks: What the compiler could not do with that, and why.
        facts: How candidates are judged; None where that is not known.
    """

    signatures: Sequence[Signature]
    words: str = ""
    reference: str = ""
    current: str | None = None
    remarks: Sequence[str] = ()
    facts: TaskFacts | None = None


def write_task_prompt(task: TaskDescription) -> str:
    """Write a task: prototypes, the reference, the present body, how it is judged, and last what the user wants.

    Tasks of one kernel begin with the same text, so that servers can keep that in their caches.
    """
    structs = "".join(dict.fromkeys(r.c_definition for s in task.signatures for r in s.records))
    parts = [f"{_name_functions(task.signatures)}\n\n{_fence(_list_prototypes(task.signatures))}"]
    if structs:
        parts.append(f"These structs are declared for you; leave them out:\n\n{_fence(structs)}")
    parts += [_describe(s) for s in task.signatures]
    if task.facts is not None:
        parts.append(_describe_facts(task.facts, task.signatures))
    if reference := _list_definitions(task.reference):
        parts.append(f"What it has to compute, in Python (the reference):\n\n{_fence(reference, 'python')}")
    if task.current is not None:
        parts.append(f"The present code, to be improved:\n\n{_fence(task.current)}")
    if task.remarks:
        parts.append("\n".join(["clang says of it:", *(f"- {each}" for each in task.remarks[:MAX_REMARKS])]))
    if task.facts is not None:
        parts.append("Score = time of the reference / time of yours, measured side by side on one core.")
    parts.append(f"# Task\n{task.words.strip()}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _list_definitions(text: str) -> str:
    """List the functions that a Python text defines, without what decorates them."""
    try:
        found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError):
        return ""
    lines = text.splitlines()
    return "\n\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in found)


def _name_functions(signatures: Sequence[Signature]) -> str:
    if len(signatures) == 1:
        return f"Write the C function `{signatures[0].name}`:"
    names = ", ".join(f"`{s.name}`" for s in signatures)
    return f"Write the C functions {names}, all of them in one block; they may call each other:"


def _list_prototypes(signatures: Sequence[Signature]) -> str:
    return "".join(f"{s.c_prototype};\n" for s in signatures)


def _describe(signature: Signature) -> str:
    doc = textwrap.dedent(signature.doc).strip()
    rows = [f"- `{p.name}`: {_describe_parameter(p)}" for p in signature.params]
    return "\n".join([*([f"`{signature.name}`: {doc}"] if doc else []), *rows])


def _describe_parameter(param: Param) -> str:
    if not isinstance(param.type, ArrayType):
        return f"{param.type}, by value"
    use = {Mode.IN: "read only", Mode.OUT: "written by you", Mode.INOUT: "read and changed by you"}[param.mode]
    shape = " by ".join(map(str, param.type.dims))
    return f"{f'array of {shape}' if shape else 'one value by reference'}, {use}"


def _describe_facts(facts: TaskFacts, signatures: Sequence[Signature]) -> str:
    rows = []
    lengths = ", ".join(f"{name} = {length:,}" for name, length in facts.lengths.items())
    if lengths:
        rows.append(f"- timed with {lengths} (the largest array has {_spell_bytes(facts.bytes)})")
    if facts.edges:
        rows.append(f"- also compared with lengths like {', '.join(map(str, facts.edges[:6]))}")
    if sum(isinstance(p.type, ArrayType) for s in signatures for p in s.params) > 1:
        pairs = ", ".join(f"`{a}` and `{b}`" for a, b in facts.overlaps)
        rows.append(f"- these arrays overlap: {pairs}" if pairs else "- arrays do not overlap")
    if facts.rtol is not None:
        exact = f"within a relative {facts.rtol:g}, and rounding where terms cancel" if facts.rtol else "exactly"
        rows.append(f"- results have to agree with the reference {exact}")
    return "\n".join(rows)


def _spell_bytes(count: int) -> str:
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


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
        "The checker cannot read this:",
        "Correct what is flagged and leave the rest as it is. Give the whole code again.",
    ),
    "signature": (
        "The function is not the one that is wanted:",
        "Give it exactly the prototype above. Give the whole code again.",
    ),
    "forbidden": (
        "Your code uses what is not allowed:",
        "Where that was your idea, take another one that the accepted C can express. Give the whole code again.",
    ),
    "compile": (
        "clang does not accept your code:",
        "Correct what is flagged and leave the rest as it is. Give the whole code again.",
    ),
    "panic": (
        "Your code was run, and a call was ended:",
        "Find out which lengths or values lead there, and correct that. Give the whole code again.",
    ),
    "crash": (
        "Your code ended the process that ran it:",
        "Look for accesses outside of arrays and for deep recursion. Give the whole code again.",
    ),
    "timeout": (
        "Your code did not come to an end in time:",
        "Look for a loop that never ends, or for more work than the reference does. Give the whole code again.",
    ),
    "wrong": (
        "Your code was compiled, and does not pass:",
        "Work out what it does there. If the plan is wrong, take another one. Give the whole code again.",
    ),
    "turn_limit": (
        "You have used up your tool calls without an answer:",
        "Answer now, with the code, and call no more tools.",
    ),
}

#: Ways out, by what refused code has: the idea behind it has another form here.
_WAYS_OUT: Final[Mapping[str, str]] = {
    r"immintrin|arm_neon|\b_mm\d*_|\b__m\d+|vector_size|ext_vector": (
        "There are no SIMD intrinsics and vector types here. Write the loop plainly, with 8 accumulators or with "
        "`#pragma clang fp reassociate(on)` as the first line of its block; clang vectorises it for this processor."
    ),
    r"\bomp\b|\bomp_|pthread|threads\.h|\bthrd_|_Thread_local|stdatomic|_Atomic": (
        "There is one thread. Write plain loops, and let the compiler vectorise them."
    ),
    r"__restrict": "Write `restrict`.",
    r"__attribute__|__declspec|_Alignas": (
        "Leave attributes out: helper functions are inlined where that pays, and arrays are aligned as they are."
    ),
    r"\bassert\b|\bprintf\b|\bfprintf\b|stdio\.h": "Leave it out: what goes wrong is reported to you anyway.",
    r"\bqsort\b|\(\s*\*\s*\w+\s*\)\s*\(": "There are no function pointers: write the sort out, or a `switch`.",
    r"\btypeof\b|__typeof|__auto_type": "Write the type itself.",
    r"__int128": "There are no 128-bit integers: use two of 64 bits, or double.",
    r"\basm\b|__asm": "There is no assembler: write C, and let the compiler choose the instructions.",
}


def write_correction(rejection: Rejection) -> str:
    """Write the next message to the model: what was wrong, and what to do about it."""
    before, after = CORRECTIONS[rejection.kind]
    ways_out = _find_ways_out(rejection) if rejection.kind in ("parse", "forbidden", "compile") else []
    return "\n\n".join([before, _shorten(rejection.message.rstrip()), *ways_out, after]) + "\n"


def _find_ways_out(rejection: Rejection) -> list[str]:
    """Find what to write in place of what was flagged; the quoted lines say what that is."""
    return [advice for pattern, advice in _WAYS_OUT.items() if re.search(pattern, rejection.message)]


def write_fresh_start(base: str, lessons: Sequence[str], is_repeated: bool = False) -> str:
    """Write the task for a conversation that begins anew; refused code is not shown, lest it be copied.

    Args:
        base: The task.
        lessons: What was wrong with the answers of earlier conversations, the latest last; each in one line.
        is_repeated: Whether the last answer was one that had been refused before.
    """
    if not lessons:
        return base
    rows = "\n".join(f"- {each}" for each in list(dict.fromkeys(lessons))[-MAX_LESSONS:])
    again = "The last of them came twice: write the function in another way.\n" if is_repeated else ""
    return f"{base}\nWhat has been tried and refused, so that it is not tried again:\n{rows}\n{again}"


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}\n... (shortened)"


def _fence(code: str, language: str = "c") -> str:
    return f"```{language}\n{code.rstrip()}\n```"
