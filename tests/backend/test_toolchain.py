"""Which clang is found, and which one is refused."""

import pytest

from symbiont_jit import ToolchainError
from symbiont_jit.backend import toolchain


@pytest.fixture
def fresh_search():
    """Forget which clang was found, before and after."""
    toolchain.find_toolchain.cache_clear()
    yield
    toolchain.find_toolchain.cache_clear()


def fake_clang(folder, version):
    path = folder / "clang"
    path.write_text(f"#!/bin/sh\necho 'clang version {version}'\n")
    path.chmod(0o755)
    return path


def test_the_wheel_is_found_first(fresh_search, monkeypatch):
    """Without the variable the clang of the installed wheel is used."""
    monkeypatch.delenv(toolchain.VARIABLE, raising=False)
    found = toolchain.find_toolchain()
    assert found.origin == "ziglang wheel"
    assert found.version[0] <= toolchain.llvm_version()[0]


def test_the_variable_comes_before_the_wheel(fresh_search, monkeypatch, tmp_path):
    """SYMBIONT_JIT_CLANG names the clang to use."""
    monkeypatch.setenv(toolchain.VARIABLE, str(fake_clang(tmp_path, "17.0.6")))
    assert toolchain.find_toolchain().version == (17, 0, 6)
    assert toolchain.find_toolchain().origin == toolchain.VARIABLE


@pytest.mark.parametrize(
    ("version", "said"), [("99.0.0", "newer than llvmlite's LLVM"), ("?", "does not run or is no clang")]
)
def test_a_clang_that_does_not_fit_is_a_toolchain_error(fresh_search, monkeypatch, tmp_path, version, said):
    """A clang that is too new or none at all is refused, with what to install."""
    monkeypatch.setenv(toolchain.VARIABLE, str(fake_clang(tmp_path, version)))
    with pytest.raises(ToolchainError, match=said) as caught:
        toolchain.find_toolchain()
    assert "pip install 'ziglang" in str(caught.value)


def test_a_missing_clang_is_a_toolchain_error(fresh_search, monkeypatch, tmp_path):
    """Without a wheel and without clang on the path the error says what to install."""
    monkeypatch.delenv(toolchain.VARIABLE, raising=False)
    monkeypatch.setattr(toolchain, "_zig_binary", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="there is no ziglang package and no clang on the path"):
        toolchain.find_toolchain()
