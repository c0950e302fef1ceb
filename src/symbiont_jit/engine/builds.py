"""Text x profile -> build: what of a canonical text is compiled, with what around it, and what it became.

In: a candidate's text and the signatures that it has to supply. Out: `Canonical` texts and their `Build`s, or
`CandidateError`, whose findings are in the lines of the text that the author wrote.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from symbiont_jit.backend.child_process import Deadline
from symbiont_jit.backend.objects import ObjectCode, check_unit, compile_unit, key_of, prewarm
from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.backend.unit import Unit
from symbiont_jit.errors import CandidateError, Diagnostic, Stage, UsageError
from symbiont_jit.frontend import Canonical, canonical_source
from symbiont_jit.frontend.wide import find_wide_addresses
from symbiont_jit.instrument.unit import (
    FLAGS,
    FRAMES,
    Site,
    allocates,
    find_instrumented,
    frame_flags,
    instrument,
    wrap_release,
)
from symbiont_jit.runtime.library import BOUND
from symbiont_jit.runtime.panics import pack_sites
from symbiont_jit.signature import NativeEntry, Signature, native_entry
from symbiont_jit.stages import stage

__all__ = ["Build", "Builder"]

#: Plain code has no stack check: it is accepted only if no frame of it has more bytes.
PLAIN_FRAME: Final = 4096
#: Canonical texts that are remembered, so that evaluating, confirming and activating one text parses it once.
REMEMBERED: Final = 64


#: A text that is compiled unless options are wrong.
_INNOCENT: Final = "double sj_innocent(double x) { return x + 1; }\n"


@dataclass(frozen=True, slots=True)
class Build:
    """A canonical text, compiled for a profile; `sites` are packed and say what the numbers of its panics mean."""

    canonical: Canonical
    profile: str
    object_code: ObjectCode
    sites: bytes = b""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The units to try for a text, of which the next one allows larger frames, and its sites."""

    units: tuple[Unit, ...]
    sites: tuple[Site, ...] = ()


@dataclass(slots=True, eq=False)
class Builder:
    """Compiles texts that supply some functions; `signatures` may grow until the first text is compiled.

    `_checked_texts` are the digests of the canonical texts that clang has accepted as they are.
    """

    signatures: list[Signature]
    flags: tuple[str, ...]
    _checked_texts: set[bytes] = field(default_factory=set)
    _remembered: OrderedDict[tuple[str | bytes, int], Canonical] = field(default_factory=OrderedDict)

    # -- text ---------------------------------------------------------------------------------------------------

    def canonical(self, source: str | bytes) -> Canonical:
        """Check a candidate and return its canonical form; raise `CandidateError` where it breaks a rule."""
        key = source, len(self.signatures)
        with contextlib.suppress(KeyError, TypeError):  # Anything that is no text is refused below.
            self._remembered.move_to_end(key)
            return self._remembered[key]
        found = canonical_source(source, self.signatures, preprocess)
        self._remember(source, found)
        # Whoever gives the canonical text itself is its author; what it parses to is known to be all right.
        if found.text != source:
            self._remember(found.text, Canonical(found.text, found.names))
        return found

    def _remember(self, source: str | bytes, canonical: Canonical) -> None:
        """Keep a canonical text; no lock is held, because each step is one operation of the dictionary."""
        self._remembered.setdefault((source, len(self.signatures)), canonical)
        with contextlib.suppress(KeyError):  # Another thread has emptied the dictionary.
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)

    # -- builds -------------------------------------------------------------------------------------------------

    def build(self, canonical: Canonical, profile: str) -> Build:
        """Compile a canonical text for a profile; raise `CandidateError` where clang or the checks refuse it."""
        with stage("clang"):
            plan = self._plan(canonical, profile)
            code = self._compile(canonical, plan.units)
            return Build(canonical.without_tree(), profile, code, pack_sites(plan.sites))

    def unit_of(self, canonical: Canonical, profile: str, key: str) -> Unit:
        """Return the unit that object code with a key was compiled from."""
        units = self._plan(canonical, profile).units
        return next((unit for unit in units if key_of(unit) == key), units[0])

    def release_unit(self, text: str) -> Unit:
        """Make the unit of a canonical text as it is, which is what `release` compiles."""
        names = tuple(entry.symbol for entry in self.entries)
        if not allocates(text):
            return Unit(text, names, epilogue=self.epilogue, flags=self.flags)
        wrapped = wrap_release(text, self.signatures)
        return Unit(text, names, BOUND, wrapped.prologue, self.assertions + wrapped.epilogue, self.flags)

    def prewarm(self, units: int, profile: str) -> None:
        """Get ready to compile so many candidates at about the same time."""
        is_plain = profile == "release"
        prewarm(self.flags if is_plain else (*self.flags, *FLAGS, *frame_flags(FRAMES[0])), units)

    def _plan(self, canonical: Canonical, profile: str) -> _Plan:
        if profile == "release":
            _require_no_wide_address(canonical)
            return _Plan((self.release_unit(canonical.text),))
        try:
            instrumented = instrument(canonical.text, canonical.tree, self.signatures, profile)
        except CandidateError as error:
            self._check(canonical)  # clang's findings about the canonical text are easier to understand.
            raise CandidateError(error.stage, error.diagnostics, canonical.author_text) from error.__cause__
        plain = Unit(canonical.text, tuple(entry.symbol for entry in self.entries), is_audited=True)
        around = replace(
            plain,
            text=instrumented.text,
            may_need=BOUND,
            prologue=instrumented.prologue,
            epilogue=self.assertions + instrumented.epilogue,
            original=instrumented.original,
        )
        flags = (*self.flags, *FLAGS)
        units = [replace(around, flags=(*flags, *frame_flags(size))) for size in FRAMES]
        if instrumented.is_plain:
            flags = (*flags, f"-Wframe-larger-than={PLAIN_FRAME}")
            units.insert(0, replace(plain, epilogue=self.epilogue, flags=flags))
        return _Plan(tuple(units), instrumented.sites)

    def _compile(self, canonical: Canonical, units: Sequence[Unit]) -> ObjectCode:
        """Compile the units in turn, until the frames of one are small enough."""
        deadline = Deadline()
        for unit in units:
            try:
                code = compile_unit(unit, canonical.digest in self._checked_texts, deadline)
            except CandidateError as error:
                if unit is units[-1] or not _has_large_frame(error):
                    self._raise_on_authors_lines(canonical, unit, error, deadline)
            else:
                self._checked_texts.add(canonical.digest)
                return code
        raise AssertionError("the last size was tried")

    def _raise_on_authors_lines(
        self, canonical: Canonical, unit: Unit, error: CandidateError, deadline: Deadline
    ) -> NoReturn:
        """Raise what is wrong in the author's names and on the author's lines, never on generated lines."""
        self._require_flags(deadline)
        if not unit.original:
            _raise_translated(error, canonical, canonical.author_diagnostic)
        self._check(canonical, deadline)
        _raise_translated(error, canonical, lambda found: _place_at_function(found, canonical, unit.text))

    def _require_flags(self, deadline: Deadline) -> None:
        """Raise `UsageError` where clang takes the options for no text at all, which is no candidate's fault."""
        if self.flags:
            try:
                compile_unit(Unit(_INNOCENT, (), flags=self.flags), deadline=deadline)
            except CandidateError as error:
                said = error.diagnostics[0].message.partition("; write the function")[0]
                raise UsageError(f"clang compiles nothing with flags={list(self.flags)!r}: {said}") from None

    def _check(self, canonical: Canonical, deadline: Deadline | None = None) -> None:
        """Raise what clang finds in a canonical text, without compiling it."""
        if canonical.digest in self._checked_texts:
            return
        try:
            check_unit(Unit(canonical.text, (), epilogue=self.epilogue, flags=self.flags), deadline)
        except CandidateError as error:
            _raise_translated(error, canonical, canonical.author_diagnostic)
        self._checked_texts.add(canonical.digest)

    # -- what stands around a text ------------------------------------------------------------------------------

    @property
    def entries(self) -> list[NativeEntry]:
        """The native entry of each function."""
        return [native_entry(s) for s in self.signatures]

    @property
    def epilogue(self) -> str:
        """The project's own C behind a canonical text."""
        return "".join(dict.fromkeys(part for e in self.entries for part in _split_statements(e.after)))

    @property
    def assertions(self) -> str:
        """C that asserts the layout of the records."""
        return "".join(dict.fromkeys(part for e in self.entries for part in _split_statements(e.after)[:-1]))


def _require_no_wide_address(canonical: Canonical) -> None:
    """Raise `CandidateError` where code without checks could keep something in bytes that nobody clears."""
    found = find_wide_addresses(canonical.tree) if "long" in canonical.text and "double" in canonical.text else []
    if found:
        raise CandidateError(Stage.CHECK, found, canonical.author_text)


def _raise_translated(
    error: CandidateError, canonical: Canonical, translate: Callable[[Diagnostic], Diagnostic]
) -> NoReturn:
    """Raise the findings about a canonical text as findings about what the author wrote."""
    raise CandidateError(error.stage, map(translate, error.diagnostics), canonical.author_text) from None


def _place_at_function(found: Diagnostic, canonical: Canonical, generated: str) -> Diagnostic:
    """Give a finding about generated C the place of the author's function that it is in, where it is in one."""
    line, column = canonical.function_position(find_instrumented(generated, found.line))
    return replace(found, line=line, column=column)


def _has_large_frame(error: CandidateError) -> bool:
    """Whether a function needs more stack than its unit allows."""
    return any(found.rule == "frame" for found in error.diagnostics)


def _split_statements(text: str) -> list[str]:
    """Split assertions into lines, so that a record of two functions is asserted once; a function stays whole."""
    lines = text.splitlines(keepends=True)
    assertions = [line for line in lines if line.startswith("_Static_assert")]
    return [*assertions, "".join(line for line in lines if not line.startswith("_Static_assert"))]
