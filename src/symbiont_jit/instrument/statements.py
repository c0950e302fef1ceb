"""Functions and statements with checks: declarations, loops, jumps, and the shadows of pointers.

In: the tree of a canonical text. Out: the same tree with every expression replaced by its guarded text, hidden
parameters in front, and shadows where pointers are declared. Shadows live for the whole call, so a jump past a
declaration cannot leave one undefined.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import print_tree, walk
from symbiont_jit.c.types import (
    VOID,
    ArrayOf,
    CType,
    FunctionOf,
    PointerTo,
    Refused,
    decayed,
    has_variable_length,
    require_traceable,
)
from symbiont_jit.instrument.expressions import Expressions
from symbiont_jit.instrument.scopes import Root, Symbol, whole
from symbiont_jit.signature import ArrayType, Signature

__all__ = ["MAIN", "Functions"]

FRAME = "struct sj_frame *sj_f"
#: What the shim calls begins with this; what other functions of the text call, with `sj_own_`.
MAIN = "sj_main_"


@dataclass(frozen=True, slots=True)
class _Context:
    """The function that is being guarded: what it returns; for an entry, its dimensions and its arrays' lengths."""

    result: CType = VOID
    dimensions: frozenset[str] = frozenset()
    lengths: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Functions:
    """All functions of a text, guarded in place; `entries` are the declared ones, by name."""

    expressions: Expressions
    entries: Mapping[str, Signature]
    context: _Context = field(default_factory=_Context)

    def guard(self, tree: c_ast.FileAST) -> None:
        """Guard a file's functions and declare its tables and types."""
        _check_definitions(tree)
        calling, called = _calling(tree), _called(tree)
        guarded: list[Any] = []
        for node in tree.ext:
            guarded.append(node)
            match node:
                case c_ast.Typedef():
                    self._typedef(node)
                case c_ast.FuncDef():
                    name = node.decl.name
                    # Who calls a declared function from inside may lie about lengths: that call gets a helper.
                    is_entry = name in self.entries
                    helper = copy.deepcopy(node) if is_entry and name in called else None
                    self._function(node, name in calling, is_entry)
                    if helper is not None:
                        self._function(helper, name in calling, is_entry=False)
                        guarded.insert(-1, helper)
                case c_ast.Decl() if isinstance(node.type, c_ast.FuncDecl):
                    self._prototype(node)
                case c_ast.Decl():
                    self._table(node)
        tree.ext = guarded

    # -- functions --------------------------------------------------------------------------------------------------

    def _declare_function(self, decl: Any) -> FunctionOf:
        typ = self.expressions.types.read(decl.type)
        assert isinstance(typ, FunctionOf), "a function was declared"
        if isinstance(typ.returns, PointerTo):
            raise Refused(
                decl, f"'{decl.name}' returns a pointer, which is not followed; return an index, or fill an array"
            )
        # Under another name, clang knows nothing of what a library function of the same name does.
        self.expressions.scopes[0][decl.name] = Symbol(typ, 0, f"sj_own_{decl.name}")
        return typ

    def _prototype(self, node: Any) -> None:
        self._declare_function(node)
        function = node.type
        params = list(function.args.params) if function.args else []
        _without_outer_lengths(params)
        self._rename(node, self.expressions.scopes[0][node.name].text)
        function.args = c_ast.ParamList([_raw(t) for t in self._parameters(params, is_entry=False)])
        node.storage = ["static"]

    @staticmethod
    def _rename(decl: Any, name: str) -> None:
        inner = decl.type
        while not isinstance(inner, c_ast.TypeDecl):
            inner = inner.type
        inner.declname = name
        decl.name = name

    def _parameters(self, params: Sequence[Any], is_entry: bool) -> list[str]:
        """The guarded parameter list: the frame first, and after each pointer of a helper its root."""
        texts = [FRAME]
        self.expressions.number_lengths(params)
        for number, param in enumerate(params):
            text = print_tree(param).strip().rstrip(";")
            if text == "void":
                continue
            texts.append(text)
            typ = decayed(self.expressions.types.loosely(param.type))
            if isinstance(typ, PointerTo) and not is_entry:
                name = getattr(param, "name", None) or f"sj_p{number}"
                texts += [f"uint64_t sj_low_{name}", f"uint64_t sj_high_{name}"]
        return texts

    def _function(self, node: Any, is_calling: bool, is_entry: bool) -> None:
        ex, decl = self.expressions, node.decl
        typ = self._declare_function(decl)
        name = f"{MAIN}{decl.name}" if is_entry else ex.scopes[0][decl.name].text
        self.context = self._entry_context(decl, typ) if is_entry else _Context(typ.returns)
        params = [p for p in (decl.type.args.params if decl.type.args else ()) if getattr(p, "name", None)]
        ex.has_replaced |= _without_outer_lengths(params)
        listed = self._parameters(list(decl.type.args.params) if decl.type.args else [], is_entry)
        ex.scopes.append({})
        ex.types.open()
        ex.hidden = []
        _check_jumps(node.body)
        assigned = _assigned_names(node.body)
        head = [self._parameter(p, is_entry, assigned) for p in params]
        body = self._block(node.body.block_items or [])
        ex.types.close()
        ex.scopes.pop()
        start = [line for lines in head for line in lines] + ex.hidden
        if is_calling:
            start.append(f"sj_enter(sj_f, {ex.site('recursion', decl, decl.name)})")
            if ex.checked:  # the optimiser makes loops of some recursions, which take no stack
                start.append(f"sj_step(sj_f, {ex.site('endless', decl)})")
        end = [] if typ.returns == VOID else [self._falling_off(decl)]
        ex.check_lifetimes()
        self.context = _Context()
        node.body.block_items = [*_after_pragmas(body, [_raw(s) for s in start]), *end]
        self._rename(decl, name)
        # Inlined into the shim, its spills would need the registers that a jump back does not restore.
        decl.storage = ["__attribute__((noinline)) static" if is_entry else "static"]
        decl.type.args = c_ast.ParamList([_raw(t) for t in listed])

    def _entry_context(self, decl: Any, typ: FunctionOf) -> _Context:
        """What the signature says of an entry's parameters, under the names that the candidate gave them."""
        signature = self.entries[decl.name]
        names = [p.name for p in (decl.type.args.params if decl.type.args else ()) if getattr(p, "name", None)]
        own = dict(zip(signature.dimensions, names, strict=False))
        lengths = {}
        for name, param in zip(names[len(own) :], signature.params, strict=True):
            if isinstance(param.type, ArrayType):
                outer = param.type.dims[0] if param.type.dims else 1
                lengths[name] = f"sj_n_{own[outer]}" if isinstance(outer, str) else f"(int64_t){outer}"
        return _Context(typ.returns, frozenset(own.values()), lengths)

    @staticmethod
    def _falling_off(decl: Any) -> Any:
        """What a function returns that ends without saying: not whatever the compiler likes."""
        returns = c_ast.Typename(None, [], None, c_ast.TypeDecl(None, [], None, decl.type.type.type))
        return _raw(f"return ({print_tree(returns).strip()}){{0}}")

    def _parameter(self, param: Any, is_entry: bool, assigned: set[str]) -> list[str]:
        """Declare a parameter; statements that keep what the checks need of it."""
        ex, name = self.expressions, param.name
        kept = [] if is_entry else self._captured(param.type)
        typ = ex.types.read(param.type)
        if not isinstance(decayed(typ), PointerTo):
            require_traceable(param, typ)
            # A dimension may be assigned to; the length that arrays are checked against is the one that was passed.
            passed = f"sj_n_{name}" if name in self.context.dimensions else ""
            ex.declare(
                name, Symbol(typ, ex.depth, name, None, dimension=passed, length="" if name in assigned else passed)
            )
            return [f"const int64_t {passed} = {name}"] if passed else []
        require_traceable(param, decayed(typ))
        if not is_entry:
            root = Root(f"sj_low_{name}", f"sj_high_{name}", ex.depth, name)
            pointee = decayed(typ)
            assert isinstance(pointee, PointerTo)
            ex.declare(name, Symbol(pointee, ex.depth, name, root))
            return kept
        return self._entry_array(name, typ, assigned)

    def _entry_array(self, name: str, typ: CType, assigned: set[str]) -> list[str]:
        ex = self.expressions
        length = self.context.lengths[name]
        pointee = decayed(typ)
        assert isinstance(pointee, PointerTo)
        low = f"(uint64_t)sj_a_{name}"
        root = Root(low, f"({low} + (uint64_t){length} * sizeof(*sj_a_{name}))", 0, name)
        kept = [f"__typeof__({name}) const sj_a_{name} = {name}"]
        if name in assigned:
            root = ex.shadow(name, 0)
            kept += [f"{root.low} = {low}", f"{root.high} = {low} + (uint64_t){length} * sizeof(*sj_a_{name})"]
            ex.declare(name, Symbol(pointee, ex.depth, name, root))
            return [ex.hidden.pop(), *kept]
        ex.declare(name, Symbol(ArrayOf(pointee.to, length), ex.depth, name, root, is_passed=True))
        return kept

    def _captured(self, node: Any) -> list[str]:
        """The variable lengths of a declarator, each computed once into a constant that the declarator then uses.

        For a parameter the type has been evaluated by then, with the same value: the constant only remembers it.
        """
        made = []
        while isinstance(node, c_ast.ArrayDecl | c_ast.PtrDecl):
            is_array = isinstance(node, c_ast.ArrayDecl)
            if is_array and node.dim is not None and not self.expressions.is_constant(node.dim):
                name = node.dim.name if isinstance(node.dim, c_ast.ID) else ""
                if name not in self.expressions.scopes[-1]:
                    raise Refused(node.dim, "the length of a parameter's array is an earlier parameter or a constant")
                site, length = self.expressions.site("length", node.dim), f"sj_n{self.expressions.number()}"
                made.append(f"const int64_t {length} = sj_length(sj_f, {site}, (int64_t){name})")
                node.dim = c_ast.ID(length, node.dim.coord)
            node = node.type
        return made

    # -- statements -------------------------------------------------------------------------------------------------

    def _block(self, items: Sequence[Any]) -> list[Any]:
        ex = self.expressions
        ex.scopes.append({})
        ex.types.open()
        done: list[Any] = []
        for item in items:
            made = self._statement(item)
            if isinstance(item, c_ast.For) and made[0] is not item:  # in a block now: what its pragmas are about
                inner = made[0].block_items
                while done and isinstance(done[-1], c_ast.Pragma):
                    inner.insert(len(inner) - 1, done.pop())
            done += made
        ex.types.close()
        ex.scopes.pop()
        return done

    def _statement(self, node: Any) -> list[Any]:
        match node:
            case c_ast.Compound():
                node.block_items = self._block(node.block_items or [])
            case c_ast.Decl() | c_ast.Typedef():
                return self._declaration(node)
            case c_ast.DeclList():
                return [made for decl in node.decls for made in self._declaration(decl)]
            case c_ast.If():
                node.cond = self._expression(node.cond)
                node.iftrue = self._controlled(node.iftrue)
                node.iffalse = None if node.iffalse is None else self._controlled(node.iffalse)
            case c_ast.While() | c_ast.DoWhile():
                node.cond = self._expression(node.cond)
                node.stmt = self._loop_body(node)
            case c_ast.For():
                return self._for(node)
            case c_ast.Switch():
                node.cond = self._expression(node.cond)
                node.stmt = self._controlled(node.stmt)
            case c_ast.Case() | c_ast.Default():
                node.stmts = [made for item in node.stmts or () for made in self._statement(item)]
            case c_ast.Label():
                return self._label(node)
            case c_ast.Return():
                node.expr = None if node.expr is None else self._returned(node)
            case c_ast.Goto() | c_ast.Break() | c_ast.Continue() | c_ast.EmptyStatement() | c_ast.Pragma():
                pass
            case c_ast.StaticAssert():
                pass
            case _:
                return [self._expression(node)]
        return [node]

    def _controlled(self, node: Any) -> Any:
        made = self._statement(node)
        return made[0] if len(made) == 1 else c_ast.Compound(made)

    def _expression(self, node: Any) -> Any:
        return None if node is None else _raw(self.expressions.value(node).text)

    def _returned(self, node: Any) -> Any:
        return _raw(self.expressions.converted(self.expressions.value(node.expr), self.context.result, node.expr).text)

    def _loop_body(self, node: Any) -> Any:
        body = node.stmt
        steps = [_raw(f"sj_step(sj_f, {self.expressions.site('endless', node)})")] if self.expressions.checked else []
        items = body.block_items or [] if isinstance(body, c_ast.Compound) else [body]
        return c_ast.Compound(_after_pragmas(self._block(items), steps))

    def _for(self, node: Any) -> list[Any]:
        ex = self.expressions
        ex.scopes.append({})
        ex.types.open()
        before: list[Any] = []
        if isinstance(node.init, c_ast.DeclList):
            made = self._statement(node.init)
            if any(not isinstance(m, c_ast.Decl) for m in made):  # a pointer with its shadows
                before, node.init = made, None
            else:
                node.init = c_ast.DeclList(made)
        else:
            node.init = self._expression(node.init)
        node.cond, node.next = self._expression(node.cond), self._expression(node.next)
        node.stmt = self._loop_body(node)
        ex.types.close()
        ex.scopes.pop()
        return [c_ast.Compound([*before, node])] if before else [node]

    def _label(self, node: Any) -> list[Any]:
        steps = [_raw(f"sj_step(sj_f, {self.expressions.site('endless', node)})")] if self.expressions.checked else []
        following = self._statement(node.stmt)
        node.stmt = c_ast.EmptyStatement()
        return [node, *steps, *following]

    # -- declarations -----------------------------------------------------------------------------------------------

    def _table(self, node: Any) -> None:
        if node.name is None:
            self.expressions.types.read(node.type)
            return
        for made in self._declaration(node):
            assert made is node, "a table is one declaration"

    def _typedef(self, node: Any) -> None:
        self.expressions.require_constant_type(node.type)
        self.expressions.types.typedefs[-1][node.name] = self.expressions.types.read(node.type)

    def _declaration(self, node: Any) -> list[Any]:
        ex = self.expressions
        if isinstance(node, c_ast.Typedef):
            self._typedef(node)
            return [node]
        node.storage = [s for s in node.storage if s != "register"]  # the checks take addresses
        if node.name is None and isinstance(node.type, c_ast.Struct | c_ast.Union) and node.type.decls is None:
            ex.types.forward(node.type)
            return [node]
        if node.name is None:
            ex.types.read(node.type)
            return [node]
        before = self._measured(node.type) if ex.depth else []
        typ = _sized(ex.types.read(node.type))
        require_traceable(node, typ)
        if isinstance(typ, PointerTo):
            return [*before, *self._pointer(node, typ)]
        # The name is known in its own initialiser.
        # Only an array of variable length goes with its block; the others live as long as the call.
        root = whole(node.name, ex.depth if has_variable_length(typ) else 0, node.name)
        ex.declare(node.name, Symbol(typ, ex.depth, node.name, root if isinstance(typ, ArrayOf) else None))
        # What is constant is initialised by constants: nothing can happen there.
        if node.init is not None and ex.depth and "static" not in node.storage:
            node.init = _raw(ex.initial(node.init, typ))
        return [*before, node]

    def _measured(self, node: Any) -> list[Any]:
        """The lengths of a variable-length array, computed once, checked, and named; and whether there is room."""
        ex, made, size, first = self.expressions, [], "1", node
        is_variable = False
        while isinstance(node, c_ast.ArrayDecl | c_ast.PtrDecl):
            if isinstance(node, c_ast.ArrayDecl) and node.dim is not None:
                if not ex.is_constant(node.dim):
                    is_variable = True
                    name, site = f"sj_n{ex.number()}", ex.site("length", node.dim)
                    value = ex.value(node.dim).text
                    made.append(_raw(f"const int64_t {name} = sj_length(sj_f, {site}, (int64_t)({value}))"))
                    node.dim = c_ast.ID(name, node.dim.coord)
                size = f"sj_times({size}, (int64_t)({print_tree(node.dim).strip()}))"
            node = node.type
        if len(made) > 2 and isinstance(first, c_ast.PtrDecl):
            raise Refused(first, "a pointer to arrays of so many variable lengths is not followed; use an index")
        if is_variable and isinstance(first, c_ast.ArrayDecl):
            if isinstance(node.type, c_ast.Struct | c_ast.Union) and node.type.decls is not None:
                raise Refused(first, "declare the struct before its array of variable length")
            element = print_tree(c_ast.Typename(None, [], None, c_ast.TypeDecl(None, [], None, node.type))).strip()
            made += [
                _raw(f"__attribute__((cleanup(sj_restore))) struct sj_saved sj_s{ex.number()} = {{sj_f, sj_f->used}}"),
                _raw(f"sj_room(sj_f, {ex.site('stack', first)}, sj_times({size}, (int64_t)sizeof({element})))"),
            ]
        return made

    @staticmethod
    def _not_const(node: Any) -> Any:
        """A pointer's declaration without its own `const`, which may be in a type's name: a cast drops that."""
        if isinstance(node.type, c_ast.PtrDecl):
            node.type.quals = [q for q in node.type.quals if q != "const"]
            return node
        names = " ".join(node.type.type.names)
        return _raw(f"__typeof__(({names})0) {node.name} = 0")

    def _pointer(self, node: Any, typ: PointerTo) -> list[Any]:
        ex = self.expressions
        if ex.depth == 0 or "static" in node.storage:
            raise Refused(node, f"the pointer '{node.name}' would outlive a call; use an array of values")
        root = ex.shadow(node.name, ex.depth)
        init, node.init = node.init, _raw("0")
        ex.declare(node.name, Symbol(typ, ex.depth, node.name, root))
        made = [node, _raw(f"{root.low} = {root.high} = 0")]
        if init is not None:
            # Set behind the declaration, where what is const could not be.
            made[0] = self._not_const(node)
            made.append(_raw(ex.pointed(node.name, init).text))
        return made


def _sized(typ: CType) -> CType:
    """An array whose length its initialiser says."""
    return ArrayOf(typ.of, "") if isinstance(typ, ArrayOf) and typ.length is None else typ


def _raw(text: str) -> Any:
    """Text that the printer prints as it is."""
    return c_ast.ID(text)


def _after_pragmas(items: list[Any], new: list[Any]) -> list[Any]:
    """Statements with new ones in front, but behind the pragmas that have to come first in a block."""
    first = [
        item
        for item in items
        if isinstance(item, c_ast.Pragma) and "loop" not in item.string and "roll" not in item.string
    ]
    return (
        [*first, *new, *(item for item in items if item not in first)]
        if items[: len(first)] == first
        else [*new, *items]
    )


def _assigned_names(body: Any) -> set[str]:
    """Variables that are assigned or stepped anywhere in a function."""
    names = set()
    for node in walk(body):
        target = None
        if isinstance(node, c_ast.Assignment):
            target = node.lvalue
        elif isinstance(node, c_ast.UnaryOp) and node.op in ("++", "--", "p++", "p--", "&"):
            target = node.expr
        if isinstance(target, c_ast.ID):
            names.add(target.name)
    return names


def _check_definitions(tree: c_ast.FileAST) -> None:
    """Refuse structs, unions and enums that are defined anywhere but in a declaration: C gives them other scopes."""
    kinds = c_ast.Struct | c_ast.Union | c_ast.Enum
    allowed: set[int] = set()

    def declared(node: Any) -> None:
        while isinstance(node, c_ast.TypeDecl | c_ast.ArrayDecl | c_ast.PtrDecl):
            node = node.type
        if isinstance(node, kinds):
            allowed.add(id(node))
            for field in getattr(node, "decls", None) or ():
                declared(getattr(field, "type", None))

    places = {c_ast.FileAST: "ext", c_ast.Compound: "block_items", c_ast.Case: "stmts", c_ast.Default: "stmts"}
    for node in walk(tree):
        for item in getattr(node, places.get(type(node), ""), None) or ():
            if isinstance(item, c_ast.Decl | c_ast.Typedef) and not isinstance(item.type, c_ast.FuncDecl):
                declared(item.type)
    for node in walk(tree):
        body = getattr(node, "decls", None) or getattr(node, "values", None)
        if isinstance(node, kinds) and body is not None and id(node) not in allowed:
            raise Refused(node, "a struct, union or enum is defined on a line of its own, not inside something else")


def _calling(tree: c_ast.FileAST) -> set[str]:
    """The functions that call others of the text, or themselves: the stack is looked at where they begin."""
    own = {n.decl.name for n in tree.ext if isinstance(n, c_ast.FuncDef)}
    return {
        node.decl.name
        for node in tree.ext
        if isinstance(node, c_ast.FuncDef)
        and any(isinstance(n, c_ast.FuncCall) and n.name.name in own for n in walk(node.body))
    }


def _without_outer_lengths(params: Sequence[Any]) -> bool:
    """A parameter's first length says nothing to C, but is evaluated; the others are names or constants.

    Whether one of them was more than a name or a number.
    """
    arrays = [p.type for p in params if isinstance(p.type, c_ast.ArrayDecl)]
    has_more = any(not isinstance(a.dim, c_ast.ID | c_ast.Constant | None) for a in arrays)
    for array in arrays:
        array.dim, array.dim_quals = None, []
    return has_more


def _called(tree: c_ast.FileAST) -> set[str]:
    """The functions that are called anywhere in a text."""
    return {n.name.name for n in walk(tree) if isinstance(n, c_ast.FuncCall)}


def _check_jumps(body: Any) -> None:
    """Refuse jumps past the declaration of something that is used behind them: it would not be initialised.

    A switch jumps to each of its cases. A jump back past an array of variable length ends it, whoever points there.
    """
    labels: dict[str, list[_Place]] = {}
    gotos: list[tuple[Any, list[_Place]]] = []

    def visit(block: Any, path: list[_Place], switch: list[_Place]) -> None:
        items = list(_items(block.block_items or ()))
        for index, item in enumerate(items):
            here = [*path, _Place(id(block), items, index)]
            if isinstance(item, c_ast.Label):
                labels[item.name] = here
                continue
            if isinstance(item, c_ast.Case | c_ast.Default):
                _check_jump(item, switch, here, "a case")
                continue
            if isinstance(item, c_ast.Goto):
                gotos.append((item, here))
            if isinstance(item, c_ast.For) and isinstance(item.init, c_ast.DeclList):
                inside = [*item.init.decls, item]
                here = [*here, _Place(id(item.init), inside, len(inside) - 1)]
            for inner in _blocks(item):
                visit(inner, here, here if isinstance(item, c_ast.Switch) else switch)

    visit(body, [], [])
    for node, start in gotos:
        end = labels.get(node.name, [])
        _check_jump(node, start, end, f"'goto {node.name}'")
        _check_jump_back(node, start, end)


def _check_jump(node: Any, start: Sequence[_Place], end: Sequence[_Place], what: str) -> None:
    begins = {place.block: place.index for place in start}
    for place in end:
        skipped = place.items[begins.get(place.block, -1) + 1 : place.index]
        names = {item.name for item in skipped if isinstance(item, c_ast.Decl)}
        used = names & _used_behind_labels(place.items, skipped)
        if used:
            raise Refused(node, f"{what} jumps past the declaration of '{min(used)}'; declare it before")


def _check_jump_back(node: Any, start: Sequence[_Place], end: Sequence[_Place]) -> None:
    begins = {place.block: place.index for place in start}
    for place in end:
        for item in place.items[place.index : begins.get(place.block, -1) + 1]:
            is_declared = isinstance(item, c_ast.Decl) and isinstance(item.type, c_ast.ArrayDecl)
            if is_declared and any(
                isinstance(n, c_ast.ArrayDecl) and n.dim is not None and _has_names(n.dim) for n in walk(item.type)
            ):
                raise Refused(node, f"'goto {node.name}' jumps back past the array '{item.name}'; use a loop")


def _has_names(node: Any) -> bool:
    return any(isinstance(n, c_ast.ID | c_ast.FuncCall) for n in walk(node))


@dataclass(frozen=True, slots=True)
class _Place:
    """Which of a block's items something is in."""

    block: int
    items: list[Any]
    index: int


def _items(nodes: Sequence[Any]) -> Iterator[Any]:
    """The statements of a block, one after the other: a label and what it stands before, the contents of a case."""
    for node in nodes:
        yield node
        if isinstance(node, c_ast.Case | c_ast.Default):
            yield from _items(node.stmts or ())
        if isinstance(node, c_ast.Label):
            yield from _items([node.stmt])


def _used_behind_labels(items: Sequence[Any], skipped: Sequence[Any]) -> set[str]:
    """The names in a block from the first statement on that has a label, behind the first skipped declaration.

    Whoever jumps into the block arrives at a label; a loop around one may go back to what is before it.
    """
    first = next((i for i, item in enumerate(items) if any(item is s for s in skipped)), len(items))
    behind = items[first:]
    arrivals = c_ast.Label | c_ast.Case | c_ast.Default
    arrival = next((i for i, item in enumerate(behind) if any(isinstance(n, arrivals) for n in walk(item))), 0)
    return {n.name for item in behind[arrival:] for n in walk(item) if isinstance(n, c_ast.ID)}


def _blocks(item: Any) -> list[Any]:
    """The blocks directly inside of a statement."""
    found, stack = [], [child for _, child in item.children()] if not isinstance(item, c_ast.Compound) else [item]
    while stack:
        node = stack.pop(0)
        if isinstance(node, c_ast.Compound):
            found.append(node)
        else:
            stack = [*(child for _, child in node.children()), *stack]
    return found
