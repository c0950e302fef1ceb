"""A reply -> the texts in it that may be code, each with how strongly its shape says so.

In: what a model answered. Out: `Segment`s in the order of the reply: fenced blocks, fields of JSON, contents of tags,
and what stands between them. Thinking is left out. Non-goal: what is in a segment; `outline` and `units` say that.
"""

from __future__ import annotations

import enum
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from symbiont_jit.llm.replies.outline import TYPE_WORDS, scan

__all__ = ["Segment", "Strength", "clean", "find_segments", "strip_thinking"]

#: How deep blocks may stand in blocks: a fence in a fence, a JSON field with a fence.
MAX_DEPTH: Final = 3
MAX_INDENT: Final = 40


class Strength(enum.IntEnum):
    """How strongly a segment's shape says that it is code; stronger classes are looked at before weaker ones."""

    OTHER = 0
    PROSE = 1
    UNTAGGED = 2
    CPP = 3
    C = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """A text in a reply that may be code.

    Attributes:
        text: The text, without what was around it.
        strength: How strongly its shape says that it is code.
        is_closed: False where the reply ends before the block does.
        is_diff: Whether the block's tag says that it is a diff.
        how: What was done to the reply to get the text, in words.
    """

    text: str
    strength: Strength
    is_closed: bool = True
    is_diff: bool = False
    how: tuple[str, ...] = ()


# -- the whole reply ------------------------------------------------------------------------------------------------

_REPLACED: Final = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u202f\u2007\u2009", " "),  # Spaces that do not break, or are thin, become plain ones.
        **dict.fromkeys("\ufeff\u200b\u200c\u200d\u2060", None),  # Marks without a width are taken out.
        **dict.fromkeys("\u2028\u2029\u0085", "\n"),
    }
)


def clean(text: str) -> str:
    """Give a reply Unix line ends, and take byte order marks, invisible characters and special spaces out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_REPLACED)
    return _CURLY_FENCE.sub(r"\1```", lines)


_THINKING: Final = "think thinking thought thoughts reasoning reflection analysis scratchpad seed:think".split()
_NAMES: Final = "|".join(sorted(_THINKING, key=len, reverse=True))
#: The marks that open and close thinking, in the tags, tokens and channels that models use.
_MARK: Final = re.compile(
    rf"""(?P<open><(?:{_NAMES})(?:[ \t][^<>\n]{{0,80}})?>|\[THINK\]|◁think▷|<\|begin_of_thought\|>
         |<\|channel\|>\s{{0,9}}(?:analysis|commentary)\b)
       |(?P<close></(?:{_NAMES})\s{{0,9}}>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|channel\|>\s{{0,9}}final\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_TOKEN: Final = re.compile(r"<[|\uff5c][\w\u2581]{1,40}[|\uff5c]>")
_BARE_CHANNELS: Final = re.compile(r"\A\s*analysis(?=[A-Z\s]).*?assistantfinal", re.DOTALL)


def strip_thinking(text: str) -> tuple[str, bool, bool]:
    """Take thinking out of a reply; gives the rest, whether there was any, and whether the reply ends inside of it."""
    text, bare = _BARE_CHANNELS.subn("", text)
    kept: list[str] = []
    start = 0
    inside = False
    marks = [m for m in _MARK.finditer(text) if not _is_quoted(text, m)]
    last_close = max((m.start() for m in marks if m["close"]), default=-1)
    for mark in marks:
        if mark["close"]:
            # A closing mark without an opening one ends thinking that began with the reply.
            kept = kept if inside else []
            start, inside = mark.end(), False
        elif not inside and (mark.start() < last_close or _is_line_start(text, mark.start())):
            kept.append(text[start : mark.start()])
            inside = True
    if not inside:
        kept.append(text[start:])
    return _TOKEN.sub("", "".join(kept)), bool(marks or bare), inside


def _is_quoted(text: str, mark: re.Match[str]) -> bool:
    """Whether a tag is only talked about: `<think>` in backticks or quotes."""
    return text[max(mark.start() - 1, 0) : mark.start()] in ("`", '"') and text[mark.end() : mark.end() + 1] in '`"'


def _is_line_start(text: str, at: int) -> bool:
    return not text[max(at - 40, 0) : at].rpartition("\n")[2].strip()


# -- fences ---------------------------------------------------------------------------------------------------------

_MARKUP: Final = r"(?:</?[A-Za-z][^<>\n`]{0,80}>[ \t]*){0,4}"
_QUOTE: Final = r"[\u201c\u201d\u201e\u2018\u2019\"']?"
_FENCE: Final = re.compile(
    r"^(?P<indent>[ \t>]*+)(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?"
    rf"{_MARKUP}{_QUOTE}(?P<fence>`{{3,}}+|~{{3,}}+|'{{3,}}+)(?P<info>[^\n]*)$"
)
_CLOSING_END: Final = re.compile(rf"(?P<fence>`{{3,}}+|~{{3,}}+){_QUOTE}[ \t.]*{_MARKUP}$")
_AFTER_CLOSING: Final = re.compile(rf"{_QUOTE}[ \t.,;:]*{_MARKUP}$")
#: Word processors and web pages turn backticks into these characters.
_CURLY_FENCE: Final = re.compile(r"^([ \t>]*+)[\u2018\u2019\u00b4\u02cb]{3,}", re.MULTILINE)

_TAGS: Final = {
    **dict.fromkeys("c c89 c90 c99 c11 c17 c18 c23 h ansi-c ansic gnuc clang gcc".split(), Strength.C),
    **dict.fromkeys("cpp c++ cc cxx hpp h++ cuda cu arduino objective-c objc".split(), Strength.CPP),
    **dict.fromkeys("text txt plain plaintext code markdown md html xml answer output none".split(), Strength.UNTAGGED),
    "": Strength.UNTAGGED,
}
_DIFF_TAGS: Final = frozenset("diff patch udiff".split())
_WRAPPERS: Final = frozenset("markdown md html xml text txt answer".split())
_TAG: Final = re.compile(r"[\s{.]*(?:(?:language|lang|class)\s*[-=:]\s*\"?)?(?:language-)?([A-Za-z][\w+#.-]*)")


@dataclass(slots=True)
class _OpenBlock:
    """A fenced block that is being read."""

    mark: str
    indent: str
    tag: str
    lines: list[str]
    in_comment: bool = False


def find_segments(text: str, depth: int = 0) -> list[Segment]:
    """Cut an answer into its segments, in order."""
    found: list[Segment] = []
    prose: list[str] = []
    block: _OpenBlock | None = None
    last_comment_end = text.rfind("*/")
    position = 0

    def end_prose() -> None:
        if any(line.strip() for line in prose):
            found.extend(_read_prose("\n".join(prose), depth))
        prose.clear()

    for line in text.split("\n"):
        fence = _FENCE.match(line)
        can_be_comment = position < last_comment_end
        position += len(line) + 1
        if block is not None and block.in_comment and can_be_comment:
            _add_line(block, line)
        elif block is None and fence is not None:
            end_prose()
            block = _open_block(fence)
            found, block = _close_at_once(found, block, depth)
        elif block is None:
            prose.append(line)
        elif fence is not None and _is_closing(block, fence):
            found.extend(_read_block(block, True, depth))
            block = None
        elif fence is not None and _is_opening(block, fence):
            # The open block was never closed, or holds blocks itself.
            found.extend(_read_block(block, block.tag in _WRAPPERS or not block.lines, depth))
            block = _open_block(fence)
        elif (end := _find_closing(block, line)) is not None:
            block.lines.append(line[:end])
            found.extend(_read_block(block, True, depth))
            block = None
        else:
            _add_line(block, line)
    end_prose()
    if block is not None:
        found.extend(_read_block(block, False, depth))
    return found


def _open_block(fence: re.Match[str]) -> _OpenBlock:
    tag, code = _read_tag(fence["info"])
    block = _OpenBlock(fence["fence"], fence["indent"][:MAX_INDENT], tag, [])
    if code:
        _add_line(block, code)
    return block


def _close_at_once(found: list[Segment], block: _OpenBlock, depth: int) -> tuple[list[Segment], _OpenBlock | None]:
    """Close a block that begins and ends on one line."""
    if block.lines and (end := _find_closing(block, block.lines[0])) is not None:
        block.lines[0] = block.lines[0][:end]
        return [*found, *_read_block(block, True, depth)], None
    return found, block


def _add_line(block: _OpenBlock, line: str) -> None:
    """Add a line to a block without the indent of the fence, and note whether a comment of C is open behind it."""
    for character in block.indent:
        if line.startswith(character):
            line = line[1:]
        elif character == ">" and line.lstrip(" ").startswith(">"):
            line = line.lstrip(" ")[1:]
    block.lines.append(line)
    position = 0
    while True:
        position = line.find("*/" if block.in_comment else "/*", position)
        if position < 0:
            return
        block.in_comment = not block.in_comment
        position += 2


def _is_closing(block: _OpenBlock, fence: re.Match[str]) -> bool:
    """Whether a fence closes the open block."""
    mark = fence["fence"]
    if mark[0] != block.mark[0] or len(mark) < len(block.mark):
        return False
    if _AFTER_CLOSING.match(fence["info"]) is not None:
        return True
    # Several words that are no tag are a sentence that goes on behind the closing fence.
    return len(fence["info"].split()) > 1 and _read_tag(fence["info"])[0] not in {*_TAGS, *_DIFF_TAGS, "json"} - {""}


def _is_opening(block: _OpenBlock, fence: re.Match[str]) -> bool:
    """Whether a fence inside of a block opens another block of code."""
    mark = fence["fence"]
    if len(mark) < len(block.mark) or mark[0] != block.mark[0]:
        return False
    return _read_tag(fence["info"])[0] in {*_TAGS, *_DIFF_TAGS, "json"} - {""}


def _find_closing(block: _OpenBlock, line: str) -> int | None:
    """Find where a closing fence begins that stands behind code on its line."""
    if block.mark[0] not in line[-400:]:
        return None
    end = _CLOSING_END.search(line, max(len(line) - 400, 0))
    if end is None or end["fence"][0] != block.mark[0] or len(end["fence"]) < len(block.mark):
        return None
    return None if "//" in line[: end.start()] else end.start()


def _read_tag(info: str) -> tuple[str, str]:
    """Read the language in an info string, and the code that follows on the same line."""
    first = _TAG.match(info[:200])
    if first is None:
        return ("", info) if _looks_like_code(info) else ("", "")
    word = first[1]
    if word in TYPE_WORDS or (first.start(1) == len(info) - len(info.lstrip()) and info[first.end() :][:1] == "("):
        return "", info
    rest = info[first.end() :]
    tag = word.lower()
    if tag not in _TAGS and "." in tag:
        tag = tag.rpartition(".")[2]
    return tag, rest if _looks_like_code(rest) else ""


def _looks_like_code(text: str) -> bool:
    first = re.match(r"\s*(?:#\s*(?:include|define|pragma|if)|/[*/]|\{\s*$|([A-Za-z_]\w*+))", text)
    return first is not None and (first[1] is None or first[1] in TYPE_WORDS or first[1] in ("typedef", "return"))


# -- from blocks and prose to segments --------------------------------------------------------------------------------


def _read_block(block: _OpenBlock, is_closed: bool, depth: int) -> list[Segment]:
    """Turn a block into its segments: those of blocks or JSON inside of it, else the block itself."""
    text = "\n".join(block.lines)
    strength = _TAGS.get(block.tag, Strength.OTHER)
    if depth < MAX_DEPTH:
        if strength <= Strength.UNTAGGED and any(_FENCE.match(line) for line in block.lines):
            inner = find_segments(text, depth + 1)
            return inner if is_closed else [*inner[:-1], *(replace(s, is_closed=False) for s in inner[-1:])]
        if strength <= Strength.UNTAGGED and (fields := _read_fields(text, depth)):
            return fields
    return [] if not text.strip() else [_mend(Segment(text, strength, is_closed, block.tag in _DIFF_TAGS))]


_FIELD: Final = re.compile(
    r'"(?:code|c_code|source|source_code|c_source|c|function|implementation|answer|body|content|result|arguments|input)"\s{0,50}:'
    r'\s{0,50}"(?P<text>(?:[^"\\]|\\.)*+)(?P<end>"?)',
    re.IGNORECASE | re.DOTALL,
)


def _read_fields(text: str, depth: int) -> list[Segment]:
    """Read the fields of a JSON object that are named like code."""
    found: list[Segment] = []
    for field in _FIELD.finditer(text):
        code = _unescape(field["text"])
        if "\n" not in code and "{" not in code and ";" not in code:
            continue
        if depth < MAX_DEPTH and (inner := _read_fields(code, depth + 1)):
            found.extend(inner)
        elif depth < MAX_DEPTH and any(_FENCE.match(line) for line in code.split("\n")):
            found.extend(find_segments(code, depth + 1))
        else:
            found.append(Segment(code, Strength.UNTAGGED, bool(field["end"]), how=("read a field of JSON",)))
    return found


_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "", '"': '"', "/": "/", "\\": "\\"}


def _unescape(literal: str) -> str:
    try:
        return str(json.loads(f'"{literal}"', strict=False)).replace("\r\n", "\n")
    except ValueError:
        return re.sub(r"\\([ntr\"/\\])", lambda m: _ESCAPES[m[1]], literal)


_WRAPPER: Final = re.compile(
    r"<(?P<slash>/?)(?P<name>code|answer|solution|pre|output|result|response|final|final_answer|implementation|source"
    r"|function|candidate|c_code|c)(?P<rest>(?:[ \t][^<>\n]{0,120})?)>",
    re.IGNORECASE,
)
_CDATA: Final = re.compile(r"\A\s*<!\[CDATA\[|\]\]>\s*\Z")


def _read_prose(text: str, depth: int) -> list[Segment]:
    """Read what stands outside of fences: fields of JSON, contents of tags, and sentences."""
    if '"' in text and (fields := _read_fields(text, depth)):
        return fields
    found: list[Segment] = []
    position = 0
    for start, end, strength, inner, is_closed in _find_wrapped(text):
        found.append(_mend(Segment(text[position:start], Strength.PROSE)))
        found.append(_mend(Segment(_CDATA.sub("", inner), strength, is_closed)))
        position = end
    found.append(_mend(Segment(text[position:], Strength.PROSE)))
    return [segment for segment in found if segment.text.strip()]


def _find_wrapped(text: str) -> Iterator[tuple[int, int, Strength, str, bool]]:
    """Yield the innermost tags of the table with what they hold; one that nothing closes holds the rest of the text."""
    opened: re.Match[str] | None = None
    for tag in _WRAPPER.finditer(text):
        if not tag["slash"]:
            opened = tag
        elif opened is not None and opened["name"].lower() == tag["name"].lower():
            inner = text[opened.end() : tag.start()]
            if ";" in inner:
                yield opened.start(), tag.end(), _strength_of(opened), inner, True
            opened = None
    if opened is not None and text[opened.end() : opened.end() + 1] == "\n":
        yield opened.start(), len(text), _strength_of(opened), text[opened.end() :], False


def _strength_of(tag: re.Match[str]) -> Strength:
    is_c = tag["name"].lower() in ("c", "c_code") or re.search(r"\b(?:language-|lang=\W?|=\W?)c\b(?!\+)", tag["rest"])
    return Strength.C if is_c else Strength.UNTAGGED


# -- damage to the text of a segment ----------------------------------------------------------------------------------


def _mend(segment: Segment) -> Segment:
    """Undo what was done to the text on its way here, and say so in `how`."""
    for mend, words in _MENDS:
        text = mend(segment.text)
        if text != segment.text:
            segment = replace(segment, text=text, how=(*segment.how, words))
    return segment


_NUMBERED: Final = re.compile(r"^[ \t]*+(?P<number>\d{1,6})(?:[ \t]?[:|│┃→][ \t]?|\.?[ \t]|\.?$)(?P<rest>.*)$")
MIN_NUMBERED: Final = 3


def _strip_line_numbers(text: str) -> str:
    """Take the numbers off lines that are numbered one after the other."""
    lines = text.split("\n")
    matches = [_NUMBERED.match(line) for line in lines]
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and _is_next_number(matches[end - 1], matches[end]):
            end += 1
        if matches[start] is not None and end - start >= MIN_NUMBERED:
            lines[start:end] = [m["rest"] if m is not None else "" for m in matches[start:end]]
        start = end
    return "\n".join(lines)


def _is_next_number(first: re.Match[str] | None, second: re.Match[str] | None) -> bool:
    return first is not None and second is not None and int(second["number"]) == int(first["number"]) + 1


_ENTITY: Final = re.compile(r"&(lt|gt|amp|quot|apos|nbsp|#39|#x27|#34|#x22|#60|#62|#38|#160);", re.IGNORECASE)


def _unescape_html(text: str) -> str:
    """Undo HTML escapes, unless `lt` and the like are names in the text: `a &lt; b` could be C."""
    for _ in range(2):  # Some texts are escaped twice: &amp;lt;
        names = {m[1].lower() for m in _ENTITY.finditer(text)}
        if not names:
            break
        rest = _ENTITY.sub(" ", scan(text).bare)
        if any(re.search(rf"\b{re.escape(name)}\b", rest) for name in names if name.isalpha()):
            break
        text = _ENTITY.sub(lambda m: html.unescape(m[0]).replace("\xa0", " "), text)
    return text


def _unescape_lines(text: str) -> str:
    r"""Undo the escapes of a text that is one line with `\n` where its lines ended."""
    bare = text.strip()
    if "\n" in bare or "\\n" not in bare or not re.search(r"[;{}]\s*\\n", bare):
        return text
    return _unescape(bare.strip('"'))


_BREAK: Final = re.compile(r"[ \t]*+<br[ \t]{0,3}/?>[ \t]*+$", re.MULTILINE | re.IGNORECASE)


def _strip_breaks(text: str) -> str:
    """Take HTML's line breaks off the ends of lines."""
    return _BREAK.sub("", text)


def _strip_tag_line(text: str) -> str:
    """Take a language off the first line, where it stands alone: a fence's tag that slipped down or lost its fence."""
    first, newline, rest = text.lstrip("\n").partition("\n")
    return rest if newline and _TAGS.get(first.strip().lower(), Strength.OTHER) >= Strength.CPP else text


_MENDS: Final[tuple[tuple[Callable[[str], str], str], ...]] = (
    (_unescape_lines, "undid escapes of line ends"),
    (_strip_breaks, "took line breaks off"),
    (_unescape_html, "undid HTML escapes"),
    (_strip_line_numbers, "took line numbers off"),
    (_strip_tag_line, "took a tag off"),
)
