"""Trees: parsed, printed with positions, walked; the names and calls in them."""

import pytest
from pycparser import c_ast

from symbiont_jit.c.calls import call_graph, called_names
from symbiont_jit.c.names import assigned_names, declared_names, fresh_name, names_in
from symbiont_jit.c.tree import (
    BlockTooLong,
    move_positions,
    normalise,
    parse,
    position,
    print_tree,
    print_with_positions,
    walk,
)
from symbiont_jit.errors import Diagnostic

SAMPLE = """\
struct pair { int a, b; };
union u { struct t { int u; } t; union { int a; float b; }; };
typedef struct { double x; } point;
enum color { RED = 2, BLUE };
static const double table[2] = { 1.0, 2.5e3 };
int twice(int v) { return 2 * v; }
int sample(int n, int *restrict p)
{
#pragma unroll
  for (int i = 0, j = 1; i < n; i++) { p[i] = twice(i) + j; if (p[i] > 3) goto out; else continue; }
  switch (n) { case 1: break; default: n = sizeof(struct pair); }
  do n--; while (n > 0);
out:
  while (n < 0) n += (int)table[0];
  return n ? -p[0] : 'c';
}
"""


def test_printing_with_positions_prints_the_same():
    """The marks that carry the positions are gone from the text, for a sample of all statements."""
    tree = parse(SAMPLE)
    normalise(tree)
    printed = print_with_positions(tree)
    assert printed.text == print_tree(tree)
    assert printed.text.isascii()
    assert list(printed.offsets) == sorted(set(printed.offsets))
    assert len(printed.offsets) == len(printed.lines) == len(printed.columns)


def test_positions_of_printed_words():
    """Names, literals, types and the keywords of statements have the position that they had in the parsed text."""
    tree = parse(SAMPLE)
    normalise(tree)
    printed = print_with_positions(tree)
    lines = SAMPLE.split("\n")
    seen = []
    for offset, line, column in zip(printed.offsets, printed.lines, printed.columns, strict=True):
        there, here = lines[line - 1][column - 1 :], printed.text[offset:]
        size = next(n for n in range(len(here)) if here[: n + 1] != there[: n + 1])
        assert size > 0, (here[:20], there[:20])
        seen.append(here.split()[0])
    for keyword in ("for", "if", "continue;", "switch", "case", "break;", "default:", "do", "while", "return", "enum"):
        assert keyword in seen
    assert {"out:", "goto", "unroll", "u", "t"} <= set(seen)


def test_nodes_that_somebody_made_have_no_position():
    """A node without a position is printed, and is not among the words that have one."""
    printed = print_with_positions(c_ast.ID("made"))
    assert (printed.text, list(printed.offsets)) == ("made\n", [])


def test_positions_move_once():
    """Every position of a tree is moved once, also where nodes share it."""
    tree = parse("int f(int a) { return a + a; }")
    before = [position(n) for n in walk(tree)]
    move_positions(tree, lambda line, column: (line + 10, column + 1))
    after = [position(n) for n in walk(tree)]
    assert after == [(line + 10, column + 1) if line else (0, 0) for line, column in before]


def test_complex_is_a_word_where_it_is_meant():
    """With <complex.h>, `complex` is a part of a type's name, and later columns are those of the text."""
    text = "double complex f(double complex z) { return z; }"
    assert isinstance(parse(text), Diagnostic)
    tree = parse(text, with_complex=True)
    assert "double _Complex f(double _Complex z)" in print_tree(tree)
    assert position(tree.ext[0].decl.type.args.params[0].type) == (1, text.index("z)") + 1)
    literal = parse('int f(void) { return "complex"[0]; }', with_complex=True)
    assert '"complex"[0]' in print_tree(literal)


def test_walk_is_in_source_order():
    """`walk` meets each node once, parents before children, in the order of pycparser's own children."""

    def visit(node):
        yield node
        for _, child in node.children():
            yield from visit(child)

    tree = parse(SAMPLE)
    assert [id(n) for n in walk(tree)] == [id(n) for n in visit(tree)]


def test_who_calls_whom():
    """A call graph has the functions of a text with what they call, and says who calls and who is called."""
    graph = call_graph(
        parse("int a(void) { return sqrt(b(1)); } int b(int x) { return x; } int c(void) { return c(); }")
    )
    assert graph.calls == {"a": {"sqrt", "b"}, "b": frozenset(), "c": {"c"}}
    assert graph.callees == {"sqrt", "b", "c"}
    assert graph.callers == {"a", "c"}


def test_called_names_of_an_expression():
    """Every call below a node counts, also one inside the arguments of another."""
    assert called_names(parse("int x = f(g(1), h);").ext[0]) == {"f", "g"}


def test_names_of_a_statement():
    """Names are used, declared or changed; an element's change is one of its array only where that is asked for."""
    body = parse("void f(int *a, int i, struct s *p) { int k = i; a[k] = 1; p->x++; i += 2; g(&k); }").ext[0].body
    assert names_in(body) == {"a", "k", "p", "i", "g"}
    assert declared_names(body) == ["k"]
    assert assigned_names(body) == {"a", "p", "i", "k"}
    assert assigned_names(body, with_parts=False) == {"i", "k"}


def test_a_fresh_name_is_nobody_elses():
    """A fresh name is that of the stem with the first number that is free."""
    assert fresh_name(parse("int f(int v_1) { int v_2 = v_1; return v_2; }"), "v7") == "v_3"


def test_a_block_that_is_too_long_is_not_printed_to_its_end():
    """Whoever wants few characters gets no more, however deep the block lies; a shorter text is printed."""
    tree = parse("void f(void) { {{{{ a; b; c; d; }}}} }")
    assert print_with_positions(tree, 200).text == print_tree(tree)
    with pytest.raises(BlockTooLong):
        print_with_positions(tree, 40)
