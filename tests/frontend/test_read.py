"""The reader: what is said of texts that cannot be parsed, and what is taken away before parsing."""

import subprocess
import sys
import textwrap

import pytest

from symbiont_jit.c import vocabulary
from tests.frontend.candidates import canonical_text, refusal, whole


def test_a_directive_hides_nothing_else_in_its_file():
    """Every directive that is not allowed is named, not only the first."""
    error = refusal('#include "a.h"\n#pragma once\n#line 3\n' + whole("return x;"))
    assert [(d.line, d.rule) for d in error.diagnostics] == [(1, "include"), (2, "pragma"), (3, "directive")]


@pytest.mark.parametrize(
    ("source", "position"),
    [
        (whole("\nreturn x + ;"), (2, 12)),
        (whole("\nx = ;"), (2, 5)),
        (whole("\nreturn (x + y;"), (2, 14)),
        (whole("\ndouble z = x\nreturn z;"), (3, 1)),
        (whole("\nif x > y return x;"), (2, 4)),
        (whole("\nfor (int i = 0; i < 3, i++) x++;"), (2, 27)),
    ],
)
def test_a_parse_error_has_a_position(source, position):
    """What cannot be parsed is reported where it stands."""
    (finding,) = refusal(source).diagnostics
    assert (finding.stage, finding.rule, finding.line, finding.column) == ("parse", "syntax", *position)


@pytest.mark.parametrize(
    "source", [whole("if (x > y) {\nreturn x;"), "double scalar(double x, double y)", "double scalar(double x,"]
)
def test_a_text_that_stops_early_says_so(source):
    """Half a reply gives one finding with a place: the bracket that stays open, or the end of the text."""
    (finding,) = refusal(source).diagnostics
    assert finding.rule == ("bracket" if finding.message.endswith("is never closed") else "syntax")
    assert finding.line == 1
    assert "candidate.c" not in finding.message


@pytest.mark.parametrize("fence", ["```c\n%s\n```", "Sure:\n\n  ```\n%s```", "%s\n```\n"])
def test_a_markdown_fence_is_named(fence):
    """A reply that was handed on as it came is told to leave its fence out."""
    (finding,) = refusal(fence % whole("return x;")).diagnostics
    assert finding.message.endswith("remove the Markdown fence (```), C alone is expected")
    assert canonical_text("/* ```c\n``` */" + whole("return x;"))


# Readers that look at a text again from every one of its characters, and parsers that go back, take hours on these.
SLOW = {
    "escaped single quotes": '"\'" + chr(92) + "\'" + (chr(92) + "\'") * 49_000',
    "escaped double quotes": "chr(34) + (chr(92) + chr(34)) * 49_000",
    "open comments": "'/* ' * 33_000",
    "compound literals in array lengths": "'double scalar(double x, double y) { return ' + nest(22) + '; }'",
    "array suffixes": "'double scalar(double x, double y) { int a' + '[1]' * 30_000 + '; return 0; }'",
    "escapes in a string": "'double scalar(double x, double y) { const char *s = ' + chr(34) + (chr(92) + 'x') * 49_000 + chr(34) + '; return 0; }'",
    "calls": "'double scalar(double x, double y) { ' + ''.join(f'q{i}();' for i in range(11_000)) + '}'",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_no_text_holds_up_the_reader(name):
    """A text within the size limit is refused before a watchdog of ten seconds ends the child that reads it."""
    program = textwrap.dedent(f"""
        from symbiont_jit.errors import CandidateError
        from symbiont_jit.frontend import canonical_source
        from symbiont_jit.signature import signature_of
        def scalar(x: float, y: float) -> float: ...
        def nest(depth):
            return "1" if depth == 0 else "(int[" + nest(depth - 1) + "]){{0}}[0]"
        try:
            canonical_source({SLOW[name]}, signature_of(scalar))
        except CandidateError:
            pass
        print("done")
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=10, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.parametrize(
    "nothing",
    ["", " ", "\\", "\\\n", "\\ \n", "\n\\", "//", "// \\", "/**/", "#", "# \\\n", ";", "\f", "#if 0\n#endif", "#define A", "\ufeff", "\ufeff\\"],
)  # fmt: skip
def test_a_text_of_nothing_is_refused(nothing):
    """Where no code is left, the text is refused like any other that defines no function."""
    for proposed in (nothing, nothing.encode()):
        error = refusal(proposed)
        assert [d.rule for d in error.diagnostics] in (["empty"], ["signature"], ["character"])


@pytest.mark.parametrize("frames", [0, 150, 300])
def test_acceptance_does_not_depend_on_the_callers_stack(frames):
    """How deep the caller stands in calls of its own does not decide what is too deep."""

    def deeper(count):
        return canonical_text(whole("return x" + " + x" * 150 + ";")) if count == 0 else deeper(count - 1)

    assert deeper(frames)


@pytest.mark.parametrize("word", ["__asm__", "asm", "__attribute__", "__declspec", "_Pragma"])
def test_words_in_strings_and_comments_are_no_findings(word):
    """Only code is judged, not what is written in literals or comments."""
    assert canonical_text(whole(f'const char *s = "{word}(x)"; /* {word} */ return s[0]; // {word}\n'))


@pytest.mark.parametrize("header", sorted(vocabulary.HEADERS))
def test_standard_headers_are_dropped(header):
    """An include of a header in the table leaves nothing behind, in either spelling."""
    assert canonical_text(f'#include <{header}>\n  #  include "{header}"\n' + whole("return x;")) == canonical_text(
        whole("return x;")
    )
