"""Attacks on the profiles `safe` and `checked`: hostile and awkward candidates, each compiled here and run in a child.

The candidates are the files of `profiles/`. Arrays lie between pages that cannot be touched, once against the upper and
once against the lower one; what is left of their pages is filled and looked at afterwards, and arrays that are only
read must stay what they were. What a file expects is one of these, or several with ` | ` between them:

    refused             CandidateError (of whatever rule)
    refused RULE        CandidateError of a rule
    panic KIND          the call panicked; `panic KIND LINE:COLUMN` says where
    value REPR          what the call gave
    contained           any of these: no crash, no hang, nothing changed outside, no other exception
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import symbiont_jit as sj
from symbiont_jit import InOut, Kernel, Revision
from symbiont_jit.engine.target import target_of
from symbiont_jit.errors import CandidateError
from symbiont_jit.runtime.interrupt import time_limit
from symbiont_jit.signature import Signature
from tests.attacks.files import Attack, attacks
from tests.child import in_child

PAGE = mmap.PAGESIZE
FILL = 0xA5
_KEPT: list[Any] = []


class Placed:
    """An array against a page that cannot be touched; `at_end` says against which one."""

    def __init__(self, array: np.ndarray, at_end: bool, is_read: bool) -> None:
        libc = ctypes.CDLL(None)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        pages = -(-max(array.nbytes, 1) // PAGE)
        memory = mmap.mmap(-1, (pages + 2) * PAGE)
        _KEPT.append(memory)
        base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self.all = np.frombuffer(memory, np.uint8, pages * PAGE, PAGE)
        self.all[:] = FILL
        self.start = pages * PAGE - array.nbytes if at_end else 0
        self.view = np.frombuffer(memory, array.dtype, array.size, PAGE + self.start).reshape(array.shape)
        self.view[...] = array
        self.before, self.is_read = array.tobytes(), is_read
        libc.mprotect(base, PAGE, 0)
        libc.mprotect(base + (pages + 1) * PAGE, PAGE, 0)

    def is_intact(self) -> bool:
        """Whether nobody wrote around the array."""
        end = self.start + self.view.nbytes
        around = bool((self.all[: self.start] == FILL).all() and (self.all[end:] == FILL).all())
        return around and (not self.is_read or self.view.tobytes() == self.before)


def place(values: tuple[Any, ...], signature: Signature, at_end: bool) -> tuple[list[Placed], list[Any]]:
    """The arrays between their pages, and the arguments that lead to them."""
    placed: list[Placed] = []
    given: list[Any] = []
    for value, param in zip(values, signature.params, strict=True):
        if isinstance(value, np.ndarray):
            placed.append(Placed(np.ascontiguousarray(value), at_end, param.mode.name == "IN"))
            given.append(placed[-1].view)
        else:
            given.append(value)
    return placed, given


def default(signature: str) -> str:
    """A body for a signature that does nothing."""
    return signature + (" { }" if signature.startswith("void") else " { return 0; }")


def header_of(signature: str) -> str:
    """What a text of a signature includes."""
    return "#include <complex.h>\n" if "complex" in signature else ""


@cache
def kernel_of(signature: str) -> Kernel:
    """One kernel for all attacks of a signature."""
    kernel = Kernel.from_c(header_of(signature) + default(signature), name="k", profile="release", on_panic="zero")
    target_of(kernel).limit_steps(10_000_000)
    return kernel


def compile_attack(attack: Attack, profile: str) -> Revision:
    """The candidate of an attack, whose text must not harm this process."""
    return kernel_of(attack.signature).compile(header_of(attack.signature) + attack.text, profile=profile)


def call_attack(revision: Revision, values: tuple[Any, ...], at_end: bool, seconds: float) -> str:
    """Call an attack in this process, and say what came of it within a number of seconds."""
    placed, given = place(values, revision.signature, at_end)
    with time_limit(seconds):
        result = revision(*given)
    panic = revision.take_panic()
    if not all(p.is_intact() for p in placed):
        return "CORRUPTED"
    if panic is not None:
        return f"panic {panic.kind} {panic.line}:{panic.column}"
    return f"value {result!r}"


def outcomes(attack: Attack, profile: str, seconds: float) -> list[str]:
    """What comes of an attack, with its arrays against either page; one child makes both calls."""
    try:
        revision = compile_attack(attack, profile)
    except CandidateError as error:
        return [f"refused {error.diagnostics[0].rule}"]
    kernel_of(attack.signature)(*attack.arguments())  # What Numba compiles for a call is there for all children then.
    ends = (True, False) if any(isinstance(a, np.ndarray) for a in attack.arguments()) else (True,)
    said = in_child(
        lambda: "\0".join(call_attack(revision, attack.arguments(), at_end, seconds) for at_end in ends), 90.0
    )
    return said.split("\0")


def agrees(outcome: str, expected: str) -> bool:
    """Whether an outcome is one of the expected ones."""
    for wanted in expected.split(" | "):
        if wanted == "contained" and outcome.startswith(("refused ", "panic ", "value ")):
            return True
        if outcome == wanted or outcome.startswith(f"{wanted} "):
            return True
    return False


def cases() -> Iterator[Any]:
    """Each attack in each profile; all but the last of a group, in `safe`, are for the whole suite only."""
    for _, group in itertools.groupby(attacks(), key=lambda attack: attack.name.partition("/")[0]):
        *others, last = group
        for attack in (*others, last):
            for profile, expected in (("safe", attack.safe), ("checked", attack.checked)):
                marks = [] if attack is last and profile == "safe" else [pytest.mark.slow]
                yield pytest.param(attack, profile, expected, id=f"{attack.name}-{profile}", marks=marks)


@pytest.fixture(scope="module", autouse=True)
def runtime() -> None:
    """Load what instrumented code needs here, so that no child has to."""
    assert Kernel.from_c("double k(double x) { return x; }")(1.0) == 1.0


@pytest.mark.parametrize(("attack", "profile", "expected"), list(cases()))
def test_an_attack_is_contained(attack: Attack, profile: str, expected: str) -> None:
    """A file's candidate gives what the file expects, with its arrays against either page."""
    may_be_interrupted = "interrupted" in expected or "contained" in expected
    seconds = 0.25 if may_be_interrupted else 30.0
    found = outcomes(attack, profile, seconds)
    for outcome in found:
        assert agrees(outcome, expected), f"{outcome}; wanted {expected}"


def test_a_member_of_a_group_cannot_pass_a_wrong_length() -> None:
    """`a` is entered with the length and root that `b` says: with two arguments left out, the counts still agree."""

    def act() -> str:
        group = sj.Group()

        @group.evolvable
        def a(x: InOut[float, "n"], p: int, q: int) -> float: ...

        @group.evolvable
        def b(y: InOut[float, "n"]) -> float: ...

        text = (
            "double a(int64_t n, double x[n], int64_t p, int64_t q) { return x[1 << 28]; }\n"
            "double b(int64_t n, double y[n]) { return a(1LL << 40, y); }"
        )
        try:
            group.activate(group.compile(text, profile="safe"))
        except CandidateError:
            return "refused"
        return f"value {b(np.ones(3))}"

    assert in_child(act).startswith(("refused", "value 0.0"))
