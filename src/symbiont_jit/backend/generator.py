"""The code generator: LLVM bitcode -> object code, assembly or the text of the IR, by llvmlite.

Run as a program (`python generator.py FOLDER TRIPLE CPU FEATURES`), it answers requests on its standard input until
that ends; it imports nothing of this package, and llvmlite from FOLDER. A request is a kind, a number and a length,
then bitcode; an answer is a status, the request's number and a length, then bytes. What LLVM itself has to say goes to
standard error.
"""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import sys
from collections.abc import Callable, Container, Iterable
from typing import Any, Final

__all__ = [
    "ASSEMBLY",
    "AUDITED",
    "ERROR",
    "HEAD",
    "IR",
    "OBJECT",
    "READY",
    "UNDEFINED",
    "Undefined",
    "find_undefined",
    "generate",
    "provoke_warning",
    "target_machine",
]

#: A request's kind or an answer's status, the request's number, and how many bytes follow.
HEAD: Final = struct.Struct("<cQQ")
OBJECT, ASSEMBLY, IR = b"o", b"a", b"i"
#: An object of code in which the optimiser must have concluded nothing from undefined behaviour.
AUDITED = b"s"
#: Statuses of an answer: the process can serve; it is done; llvmlite has refused, and says why; the optimiser has
#: concluded something.
READY, DONE, ERROR, UNDEFINED = b"r", b"d", b"e", b"u"

#: Seconds after which a request ends the process, where whoever asked was killed and cannot end it.
SECONDS: Final = 15

#: What is generated to begin with: the first time takes longer, and should not be a candidate's.
_FIRST: Final = """define double @first(ptr %x, i64 %n) {
start:
  br label %loop
loop:
  %i = phi i64 [0, %start], [%next, %loop]
  %s = phi double [0.0, %start], [%sum, %loop]
  %p = getelementptr double, ptr %x, i64 %i
  %v = load double, ptr %p
  %sum = fadd double %s, %v
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret double %sum
}
"""

#: A function that needs more stack than it is allowed: LLVM's warning about it is what limits of frames rest on.
_LARGE: Final = """declare void @use(ptr)
define void @large() "warn-stack-size"="16" {
  %a = alloca [4096 x i8]
  call void @use(ptr %a)
  ret void
}
"""


def target_machine(triple: str, cpu: str, features: str) -> Any:
    """Make a target that generates code like clang: at its level (3), position-independent, in the small code model."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # Code that LLVM takes for unreachable ends in a trap: without one, control would fall into what comes next.
    llvm.set_option("symbiont_jit", "-trap-unreachable")
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(cpu=cpu, features=features, opt=3, reloc="pic", codemodel="small")


class Undefined(Exception):  # noqa: N818  # It says what was found.
    """Raised where optimised IR shows that the optimiser has concluded something from undefined behaviour."""


def find_undefined(ir: str) -> str:
    """Find in optimised IR what only undefined behaviour leaves behind; return it in words, or nothing.

    A block may end in `unreachable` behind a call of a function that does not return: one of the same text, whose own
    blocks are looked at, or the jump of a panic. Or all that leads to it is the default of a `switch` over all values
    that there are. `undef` and `poison` may only stand for a vector that the same instruction fills as far as anybody
    asks for it (an insertion, a shuffle, a load under a mask), and for lanes of a vector that nobody asks for. `poison`
    may also come into a block by a way that is never gone, as where a loop that counts down is unrolled.
    """
    functions = {found["name"]: found["body"] for found in _FUNCTION.finditer(ir)}
    for name, body in functions.items():
        if not all(_is_honest_end(body, end.start(), functions) for end in _UNREACHABLE.finditer(body)):
            return f"the optimiser has deleted the end of '{name}'"
        if not all(_FILLS.match(line[0]) or _is_unasked(body, line[0]) for line in _NOBODYS.finditer(body)):
            return f"the optimiser has found a value of no bits in '{name}'"
    return ""


#: The names of LLVM: what C can spell, and anything else in quotes.
_NAME: Final = r"(?:[\w.$-]+|\"[^\"\n]*\")"
_FUNCTION: Final = re.compile(
    rf"^define [^\n]*?@(?P<name>{_NAME})\([^\n]*\{{\n(?P<body>.*?)^\}}$", re.MULTILINE | re.DOTALL
)
_UNREACHABLE: Final = re.compile(r"^ +unreachable\b", re.MULTILINE)
_CALLEE: Final = re.compile(rf"\bcall [^\n]*?@({_NAME})\(")
_LABEL: Final = re.compile(r"([\w.]+):")
#: A panic jumps to the entry's shim.
_JUMP: Final = "llvm.eh.sjlj.longjmp"
_NOBODYS: Final = re.compile(r"^.*\b(?:undef|poison)\b.*$", re.MULTILINE)
#: A type of LLVM's that has parts, which may have parts themselves.
_PARTS: Final = r"[{<\[](?:[^{}<>\[\]]|[{<\[][^{}<>\[\]]*[}>\]])*[}>\]]"
#: What is inserted has to be somebody's.
_FILLS: Final = re.compile(
    r" +%[\w.$-]+ = (?:shufflevector "
    rf"|insert(?:element|value) {_PARTS} (?:undef|poison|{_PARTS}), (?!.*\b(?:undef|poison)\b)"
    r"|phi (?!.*\bundef\b)"
    r"|(?:tail )?call [^\n]*@llvm\.masked\.(?:load|gather|expandload)\.)"
)


def _is_honest_end(body: str, at: int, functions: Container[str]) -> bool:
    """Whether the `unreachable` at a place of a function's body follows from something other than a guess."""
    before = body[body.rfind("\n", 0, max(at - 1, 0)) + 1 : at]
    callee, label = _CALLEE.search(before), _LABEL.match(before)
    if callee is not None:
        return callee[1] == _JUMP or callee[1] in functions
    return label is not None and _is_default_only(body, label[1])


def _is_default_only(body: str, label: str) -> bool:
    """Whether nothing but defaults of `switch` leads to a block."""
    leading = re.findall(rf"^.*label %{re.escape(label)}(?![\w.]).*$", body, re.MULTILINE)
    return bool(leading) and all(re.match(rf" +switch .*, label %{re.escape(label)} \[", line) for line in leading)


#: An operation on whole vectors with a constant of which some lanes are undefined.
_LANES: Final = re.compile(
    r" +(?P<name>%[\w.]+) = (?:(?:add|sub|mul|and|or|xor|shl|lshr|ashr|fadd|fsub|fmul|fdiv)[a-z ]*|select) <[^@]*$"
)
_CONSTANT: Final = re.compile(r"<([^<>]*\b(?:undef|poison)\b[^<>]*)>")
_TAKEN: Final = re.compile(r" +%[\w.]+ = extractelement <\d+ x \w+> %[\w.]+, i\d+ (?P<lane>\d+)$")
#: What takes all lanes; a function of LLVM's whose name is one word (`llvm.tanh.v8f64`) computes each lane by itself.
_LEAVES: Final = re.compile(
    r" +(?:store |ret |(?:%[\w.]+ = )?(?:tail |musttail |notail )?call (?![^\n]*@llvm\.[a-z]+[0-9]*\.v\d+[fi]\d))"
)
_SHUFFLE: Final = re.compile(
    r" +%[\w.]+ = shufflevector <\d+ x \w+> (?P<first>%[\w.]+|poison), <\d+ x \w+> (?P<second>%[\w.]+|poison), "
    r"<\d+ x i32> (?P<mask>zeroinitializer|<[^<>]*>)$"
)


#: A store of some lanes of a constant, under a mask that is known.
_MASKED_STORE: Final = re.compile(
    r" +(?:tail )?call void @llvm\.masked\.store\.[\w.]+\(<\d+ x \w+> <(?P<lanes>[^<>]*)>, "
    r"[^<>]*<\d+ x i1> <(?P<mask>[^<>]*)>\)"
)


def _is_masked(line: str) -> bool:
    """Whether a line stores a vector under a mask that leaves out the lanes that are nobody's."""
    found = _MASKED_STORE.match(line)
    if found is None:
        return False
    pairs = zip(found["lanes"].split(", "), found["mask"].split(", "), strict=False)
    return all(kept == "i1 false" for lane, kept in pairs if lane.endswith((" undef", " poison")))


def _is_unasked(body: str, line: str) -> bool:
    """Whether a line computes a vector, of which nobody takes the lanes that are nobody's."""
    if _is_masked(line):
        return True
    found = _LANES.match(line)
    if found is None or _NOBODYS.match(_CONSTANT.sub("", line)):
        return False
    constants = [constant.split(", ") for constant in _CONSTANT.findall(line)]
    nobodys = {index for lanes in constants for index, lane in enumerate(lanes) if lane.endswith((" undef", " poison"))}
    uses = re.findall(rf"^.*{re.escape(found['name'])}(?![\w.]).*$", body, re.MULTILINE)
    return all(nobodys.isdisjoint(_lanes_taken(use, found["name"], len(constants[0]))) for use in uses if use != line)


def _lanes_taken(line: str, name: str, count: int) -> Iterable[int]:
    """Return the lanes of a vector that certainly count where a line uses it.

    All of them where it leaves the function, in memory or by a call. Arithmetic makes another vector of it, of which
    again not every lane need count.
    """
    taken, shuffle = _TAKEN.match(line), _SHUFFLE.match(line)
    if taken is not None:
        return [int(taken["lane"])]
    if shuffle is None:
        return range(count) if _LEAVES.match(line) else ()
    mask = [int(index) for index in re.findall(r"i32 (\d+)", shuffle["mask"])] or [0]
    first = [index for index in mask if index < count and shuffle["first"] == name]
    return first + [index - count for index in mask if index >= count and shuffle["second"] == name]


#: A declaration of a function of floating numbers.
_OF_FLOATS: Final = re.compile(r"^declare .*\b(?:float|double|x86_fp80)\b", re.MULTILINE)


def fold_constants(machine: Any, module: Any) -> None:
    """Compute functions of constants, which clang leaves alone, with the library that calls of them would go to."""
    import llvmlite.binding as llvm

    if not any(each.is_declaration and _OF_FLOATS.search(str(each)) for each in module.functions):
        return
    passes = llvm.create_new_function_pass_manager()
    passes.add_sccp_pass()
    _run(machine, module, passes)


def _combine_instructions(machine: Any, module: Any) -> None:
    """Drop what nobody takes of what constants have become: that of a conversion which does not fit has no bits."""
    import llvmlite.binding as llvm

    passes = llvm.create_new_function_pass_manager()
    passes.add_instruction_combine_pass()
    _run(machine, module, passes)


def _run(machine: Any, module: Any, passes: Any) -> None:
    import llvmlite.binding as llvm

    with llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()) as builder:
        for function in module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


_GENERATE: Final[dict[bytes, Callable[[Any, Any], bytes]]] = {
    OBJECT: lambda machine, module: machine.emit_object(module),
    AUDITED: lambda machine, module: _emit_audited(machine, module),
    ASSEMBLY: lambda machine, module: machine.emit_assembly(module).encode(),
    IR: lambda machine, module: str(module).encode(),
}


def _emit_audited(machine: Any, module: Any) -> bytes:
    if find_undefined(str(module)):
        _combine_instructions(machine, module)
        if found := find_undefined(str(module)):
            raise Undefined(found)
    data: bytes = machine.emit_object(module)
    return data


def generate(machine: Any, kind: bytes, bitcode: bytes) -> bytes:
    """Generate what is asked for from bitcode that LLVM reads and verifies.

    Raises:
        RuntimeError: LLVM does not read or verify it.
        Undefined: The code is to be audited, and shows undefined behaviour.
    """
    import llvmlite.binding as llvm

    # Each request gets its own context, because types and constants stay in a context until it goes.
    with llvm.create_context() as context, llvm.parse_bitcode(bitcode, context) as module:
        module.verify()
        fold_constants(machine, module)
        return _GENERATE[kind](machine, module)


def _main(folder: str, triple: str, cpu: str, features: str) -> None:
    sys.path.append(folder)
    out = os.dup(1)
    os.dup2(2, 1)  # Whatever else writes to standard output must not be read as an answer.
    machine = target_machine(triple, cpu, features)
    provoke_warning(machine)
    _write(out, READY, 0, b"")
    if not select.select([0], [], [], 0.001)[0]:  # No request waits yet, so there is time to warm up.
        _generate_text(machine, _FIRST)
    while head := sys.stdin.buffer.read(HEAD.size):
        kind, number, size = HEAD.unpack(head)
        bitcode = sys.stdin.buffer.read(size)
        signal.alarm(SECONDS)
        try:
            _write(out, DONE, number, generate(machine, kind, bitcode))
        except RuntimeError as error:
            _write(out, ERROR, number, str(error).encode())
        except Undefined as error:
            _write(out, UNDEFINED, number, str(error).encode())
        signal.alarm(0)


def provoke_warning(machine: Any) -> None:
    """Let LLVM warn of a frame that is too large, so that whoever listens knows that it does."""
    _generate_text(machine, _LARGE)


def _generate_text(machine: Any, text: str) -> None:
    import llvmlite.binding as llvm

    with llvm.create_context() as context, llvm.parse_assembly(text, context) as module:
        generate(machine, OBJECT, module.as_bitcode())


def _write(out: int, status: bytes, number: int, data: bytes) -> None:
    answer = memoryview(HEAD.pack(status, number, len(data)) + data)
    while answer:
        answer = answer[os.write(out, answer) :]


if __name__ == "__main__":
    _main(*sys.argv[1:])
