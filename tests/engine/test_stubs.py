"""The project's own C around entries: the preprocessor, stubs, jumps that never move."""

import pytest

from symbiont_jit import CandidateError, Kernel
from tests.frontend.candidates import SCALAR, whole


def test_a_file_is_out_of_reach(tmp_path):
    """Whatever a text writes between `%` and `:`, the preprocessor reads no file for it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("*")
    for gap in ("", "\\\n", "\\ \n", "\\\t\n", "\\\f\n", "\\/**/\n", "\\ \\\n\n", "\\\\\n\n", "\\ \n\\ \n"):
        for mark in (f"%{gap}:", f"#{gap}", f"?{gap}?="):
            for word in ("embed", "include", f"em{gap}bed"):
                source = f'#define ONE 1\nstatic const char t[] = {{1,\n{mark}{word} "{secret}"\n}};\n'
                with pytest.raises(CandidateError):
                    Kernel(SCALAR).compile(source + whole("return t[1];"))
