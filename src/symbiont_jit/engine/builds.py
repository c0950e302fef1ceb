"""Text x profile -> object code: what of a canonical text is compiled, and with what around it.

In: a candidate's text and the signatures that it has to supply. Out: `Canonical` texts and their object code, or
`CandidateError`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from symbiont_jit.backend.objects import ObjectCode, check_object, compile_object, expect
from symbiont_jit.engine.stubs import preprocess
from symbiont_jit.errors import CandidateError, Diagnostic
from symbiont_jit.frontend import Canonical, canonical_source
from symbiont_jit.instrument.unit import (
    FLAGS,
    FRAMES,
    Instrumented,
    allocates,
    frame_flags,
    instrument,
    parse_canonical,
    wrap_release,
)
from symbiont_jit.runtime.library import BOUND
from symbiont_jit.signature import NativeEntry, Signature, native_entry
from symbiont_jit.stages import stage

__all__ = ["Builder", "instrument_text"]

#: Bytes of stack that a function may take without being asked.
PLAIN_FRAME: Final = 4096


@dataclass(slots=True, eq=False)
class Builder:
    """Compiles texts that supply some functions; `signatures` may grow until the first text is compiled.

    `_checked_texts` are hashes of the canonical texts that clang has accepted as they are.
    """

    signatures: list[Signature]
    flags: tuple[str, ...]
    _checked_texts: set[int] = field(default_factory=set)

    def canonical(self, source: str | bytes) -> Canonical:
        """The canonical form of a candidate; raises `CandidateError`."""
        return canonical_source(source, self.signatures, preprocess)

    def object_code(self, canonical: Canonical, profile: str) -> ObjectCode:
        """A canonical text, compiled for a profile; raises `CandidateError`."""
        with stage("clang"):
            return self._compiled(canonical, profile)

    def _compiled(self, canonical: Canonical, profile: str) -> ObjectCode:
        entries = [e.symbol for e in self.entries]
        if profile == "release":
            code = self._released(canonical, entries)
            self._checked_texts.add(hash(canonical.text))
            return code
        try:
            instrumented = instrument_text(canonical.text, self.signatures, profile)
        except CandidateError:
            self._check(canonical)  # what clang says of it is better known
            raise
        flags = (*self.flags, *FLAGS)
        if instrumented.is_plain:
            self._check(canonical)
            with contextlib.suppress(CandidateError):  # nobody looks at the stack there, so it must need next to none
                plain = (*flags, f"-Wframe-larger-than={PLAIN_FRAME}")
                return compile_object(canonical.text, entries, plain, profile, self.after)
        return self._instrumented(canonical, instrumented, entries, profile)

    def _check(self, canonical: Canonical) -> None:
        """Raise what clang finds in a text as it is."""
        if hash(canonical.text) not in self._checked_texts:
            check_object(canonical.text, self.flags, self.after)
            self._checked_texts.add(hash(canonical.text))

    def _instrumented(
        self, canonical: Canonical, instrumented: Instrumented, entries: Sequence[str], profile: str
    ) -> ObjectCode:
        after = self.assertions + instrumented.epilogue
        for size in FRAMES:
            flags = (*self.flags, *FLAGS, *frame_flags(size))
            is_sound = hash(canonical.text) in self._checked_texts
            try:
                code = compile_object(
                    *(instrumented.text, entries, flags, profile, after, instrumented.prologue, BOUND),
                    made_of=instrumented.original,
                    is_sound=is_sound,
                )
            except CandidateError as error:
                self._check(canonical)  # its findings have the candidate's names and lines, and nothing beside
                if size == FRAMES[-1] or "stack frame size" not in str(error):
                    raise CandidateError(error.stage, map(_without_line, error.diagnostics), canonical.text) from None
            else:
                self._checked_texts.add(hash(canonical.text))
                return code
        raise AssertionError("the last size was tried")

    def expect(self, units: int, profile: str) -> None:
        """Get ready to compile so many candidates at about the same time."""
        is_plain = profile == "release"
        guarded = (*self.flags, *FLAGS, *frame_flags(FRAMES[0]))
        expect(self.flags if is_plain else guarded, units)

    def _released(self, canonical: Canonical, entries: Sequence[str]) -> ObjectCode:
        if not allocates(canonical.text):
            return compile_object(canonical.text, entries, self.flags, "release", self.after)
        wrapped = wrap_release(canonical.text, self.signatures)
        after = self.assertions + wrapped.epilogue
        return compile_object(wrapped.text, entries, self.flags, "release", after, wrapped.prologue, BOUND)

    @property
    def entries(self) -> list[NativeEntry]:
        """The native entry of each function."""
        return [native_entry(s) for s in self.signatures]

    @property
    def after(self) -> str:
        """The project's own C behind a canonical text."""
        return "".join(dict.fromkeys(part for e in self.entries for part in _statements(e.after)))

    @property
    def assertions(self) -> str:
        """The layout of the records, asserted."""
        return "".join(dict.fromkeys(part for e in self.entries for part in _statements(e.after)[:-1]))


def instrument_text(text: str, signatures: Sequence[Signature], profile: str) -> Instrumented:
    """A canonical text, instrumented for a profile; raises `CandidateError`."""
    return instrument(text, parse_canonical(text), signatures, profile)


def _without_line(found: Diagnostic) -> Diagnostic:
    """A finding about the guarded text, in whose lines the candidate has no part."""
    message = re.sub(
        r"stack frame size \((\d+)\) exceeds limit \((\d+)\).*",
        r"local arrays take \1 bytes; at most \2",
        found.message,
    )
    return replace(found, message=message, line=0, column=0)


def _statements(text: str) -> list[str]:
    """Assertions line by line, so that a record of two functions is asserted once; a function in one piece."""
    lines = text.splitlines(keepends=True)
    assertions = [line for line in lines if line.startswith("_Static_assert")]
    return [*assertions, "".join(line for line in lines if not line.startswith("_Static_assert"))]
