"""Blocks: code in fences, tags and JSON is found, and thinking is none."""

import pytest

from tests.kernels import DOT
from tests.llm.replies.rows import OLD, ONE_LINE, Row, absent, broken, fenced, require_what_was_meant


def quoted(code):
    return "\n".join(f"> {line}" for line in code.split("\n"))


FENCES = [
    Row("a fence tagged c", f"Here you go:\n\n{fenced(DOT)}\nHope this helps!"),
    Row("tag in capitals", fenced(DOT, "C")),
    Row("tag c99", fenced(DOT, "c99")),
    Row("tag h", fenced(DOT, "h")),
    Row("tag cpp", fenced(DOT, "cpp")),
    Row("tag c++", fenced(DOT, "c++")),
    Row("no tag", fenced(DOT, "")),
    Row("tag text", fenced(DOT, "text")),
    Row("tag of another language, C inside", fenced(DOT, "python")),
    Row("attributes of a fence", fenced(DOT, "c title=x")),
    Row("attributes in braces", fenced(DOT, "{.c .numberLines startFrom=1}")),
    Row("a file's name as tag", fenced(DOT, "dot.c")),
    Row("tag and file", fenced(DOT, "c:src/dot.c")),
    Row("language-c", fenced(DOT, "language-c")),
    Row("blank before the tag", fenced(DOT, " c")),
    Row("tag on the next line", fenced("c\n" + DOT, "")),
    Row("tildes", fenced(DOT, fence="~~~")),
    Row("four backticks", fenced(DOT, fence="````")),
    Row("a fence in a longer fence", fenced(fenced(DOT), "markdown", "`````")),
    Row("a fence in a fence as long", fenced(fenced(DOT), "markdown")),
    Row("a fence in an untagged fence", fenced(fenced(DOT), "")),
    Row("indented in a list", "1. Do this:\n\n" + "\n".join("   " + line for line in fenced(DOT).split("\n"))),
    Row("behind a list's mark", f"- {fenced(DOT)}"),
    Row("in a quotation", quoted(fenced(DOT))),
    Row("code behind the opening fence", f"```{DOT}\n```"),
    Row("tag and code behind the opening fence", f"```c {DOT}\n```"),
    Row("all on one line", f"```c {ONE_LINE}```"),
    Row("include behind the opening fence", f"```c #include <math.h>\n{DOT}\n```"),
    Row("closing fence behind the code", f"```c\n{DOT}```\nDone."),
    Row("unclosed last fence", f"```c\n{DOT}\n"),
    Row("unclosed last fence and prose", f"```c\n{DOT}\nThis loop is easy to vectorise."),
    Row("unclosed fence before another", f"```\n{OLD}\n```c\n{DOT}\n```"),
    Row("fence in a comment", fenced(f"/* Use:\n```\nr = dot(n, x, y);\n```\n*/\n{DOT}")),
    Row("fence in a comment at the line's end", fenced(f"// see ```dot```\n{DOT}")),
    Row("triple single quotes", f"'''c\n{DOT}\n'''"),
    Row("smart quotes for backticks", f"\u2018\u2018\u2018c\n{DOT}\n\u2019\u2019\u2019"),
    Row("smart quotes around the fences", f"\u201c```c\n{DOT}\n```\u201d"),
    Row("an empty fence first", f"```\n```\n{fenced(DOT)}"),
    Row("prose in the fence", fenced(f"Here is the faster version:\n\n{DOT}"), how="left out prose"),
]
THINKING = [
    Row("think", f"<think>maybe {fenced(OLD)}</think>\n{fenced(DOT)}", how="left out thinking"),
    Row(
        "code only in thinking",
        f"<think>\n{fenced(DOT)}</think>\nI am done.",
        absent("no C code outside of its thinking"),
    ),
    Row("thinking", f"<thinking>{fenced(OLD)}</thinking>{DOT}"),
    Row("reasoning after the code", f"{fenced(DOT)}<reasoning>{fenced(OLD)}</reasoning>"),
    Row("tag in capitals and with attributes", f'<THINK effort="1">{fenced(OLD)}</THINK>{fenced(DOT)}'),
    Row("only a closing tag", f"{fenced(OLD)}</think>\n{fenced(DOT)}"),
    Row("only a closing tag, weaker code behind it", f"{fenced(OLD)}</think>\n{DOT}"),
    Row("closed twice", f"<think>a</think>{fenced(OLD)}</think>{fenced(DOT)}"),
    Row("opened twice", f"<think><think>{fenced(OLD)}</think>{fenced(DOT)}"),
    Row("never closed", f"<think>\nLet me see\n{fenced(DOT)}", broken("while thinking")),
    Row("never closed, after the code", f"{fenced(DOT)}\n<think>\n{fenced(OLD)}"),
    Row("a tag that is talked about", f"No `<think>` needed.\n{fenced(DOT)}"),
    Row(
        "channels",
        f"<|channel|>analysis<|message|>{fenced(OLD)}<|end|><|start|>assistant<|channel|>final<|message|>{fenced(DOT)}<|return|>",
    ),
    Row("channels, fence behind the token", f"<|channel|>final<|message|>```c\n{DOT}\n```<|return|>"),
    Row("channels without their tokens", f"analysisWe need {fenced(OLD)}assistantfinal{fenced(DOT)}"),
    Row("channel that never ends", f"<|channel|>analysis<|message|>{fenced(OLD)}", broken("while thinking")),
    Row("square brackets", f"[THINK]{fenced(OLD)}[/THINK]{fenced(DOT)}"),
]


@pytest.mark.table
@pytest.mark.parametrize("row", FENCES + THINKING, ids=lambda row: row.name)
def test_shapes_of_replies(row):
    """The function that was meant is found whatever is around it, or what was missing is said."""
    require_what_was_meant(row)
