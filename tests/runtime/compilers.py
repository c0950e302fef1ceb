"""The C compilers of this machine, for tests that build the runtime's C as a C programmer would."""

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from symbiont_jit.backend.toolchain import find_toolchain
from symbiont_jit.runtime.sources import ROOT

#: What every build of the runtime gets: its files include each other from the package's folder on.
FLAGS = ("-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", "-DSJ_FRAME=16384", f"-I{ROOT}")


def ours():
    """The clang that compiles kernels; zig adds the system's headers and libraries where it is called `cc`."""
    command = find_toolchain().command
    return (command[0], "cc") if command[1:] == ("clang",) else command


@functools.cache
def compilers():
    """Every compiler by its name; ours is the last one, because others have more sanitizers."""
    named = {name: (path,) for name in ("gcc", "clang", "cc") if (path := shutil.which(name))}
    return named | {"ours": ours()}


@functools.cache
def compiler_with(sanitizers):
    """The first compiler whose programs with these sanitizers run; None where there is none."""
    return next((command for command in compilers().values() if _makes_programs(command, sanitizers)), None)


def _makes_programs(command, sanitizers):
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "probe.c"), Path(folder, "probe")
        source.write_text("int main(void) { return 0; }\n")
        built = subprocess.run([*command, f"-fsanitize={sanitizers}", source, "-o", program], capture_output=True)
        return built.returncode == 0 and subprocess.run([program], capture_output=True).returncode == 0
