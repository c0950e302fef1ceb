"""Expressions with their checks written into them.

In: expression nodes of a canonical text. Out: C text that computes the same, and panics where the original would leave
its arrays or, in `checked`, do anything that C leaves undefined.

Every pointer is traced to the object it points into. A pointer's *root* is where that object begins and ends: two
expressions without side effects. Objects are their own root; a pointer variable has two shadow variables, which are
set whenever it is; a parameter of a helper brings its root along. An access is compared with the root, whatever
happened to the pointer in between. What cannot be traced is refused, with what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.constants import integer
from symbiont_jit.c.tree import print_tree, walk
from symbiont_jit.c.types import (
    DOUBLE,
    INT,
    LONG,
    SIZE,
    VOID,
    Arithmetic,
    ArrayOf,
    CType,
    FunctionOf,
    PointerTo,
    Refused,
    StructOf,
    common,
    has_variable_length,
    has_wide_float,
    library_functions,
    promoted,
    require_traceable,
    same_rows,
    size_of,
)
from symbiont_jit.instrument.scopes import NOWHERE, Root, Scopes, Symbol, whole

__all__ = ["Expressions", "Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """An expression in C, of a type; for a pointer `root` is where it points into, for an object the object itself.

    Of a bit-field, which has no address, `bits` are its struct, its name, and the type that it has in an expression.
    """

    text: str
    type: CType
    root: Root | None = None
    bits: tuple[str, str, CType] | None = None

    @property
    def is_bits(self) -> bool:
        """Whether it has no address."""
        return self.bits is not None

    @property
    def operand(self) -> CType:
        """The type that it has in an expression."""
        return self.type if self.bits is None else self.bits[2]


#: Characters of one guarded expression.
MAX_EXPRESSION: Final = 20_000
#: Deeper than any block.
MAX_DEPTH: Final = 1 << 20
BOOL: Final = Arithmetic("b", 8)

_FLOAT_CONSTANTS: Final = re.compile(r"(DBL|FLT)_(EPSILON|MAX|MIN|TRUE_MIN)$|HUGE_VALF?$|INFINITY$|NAN$|M_")
_OVERFLOWING: Final = {"+": "add", "-": "sub", "*": "mul"}
#: Expressions that are no objects, also where they are structs.
_VALUES: Final = c_ast.FuncCall | c_ast.Assignment | c_ast.TernaryOp | c_ast.ExprList | c_ast.Cast
_ABSOLUTE: Final = {"abs": 32, "labs": 64, "llabs": 64}
#: Functions of the table whose third argument says how many bytes they touch; the others touch one pointee.
_COUNTED: Final = frozenset({"memcpy", "memmove", "memcmp", "memset"})


@dataclass(slots=True)
class Expressions(Scopes):
    """The expressions of one text, with the scopes that are open where they stand.

    `has_replaced` says that the guarded text has to be compiled even where nothing in it can panic.
    """

    checked: bool
    may_free: bool = False
    has_replaced: bool = False

    # -- values ---------------------------------------------------------------------------------------------------

    def value(self, node: Any) -> Value:
        """An expression as something to compute with; an array as a pointer to its first element."""
        found = self._any(node)
        if isinstance(found.type, ArrayOf):
            element = PointerTo(found.type.of)
            found = self._literal(found) if found.root is None else found
            return Value(found.text, element, found.root)
        if found.bits is not None:  # narrower than int, whatever its sign; and a value has no struct around it
            return Value(f"(+{found.text})", found.operand)
        if found.type == BOOL and isinstance(node, c_ast.ID | c_ast.ArrayRef | c_ast.StructRef | c_ast.UnaryOp):
            # A byte that somebody else wrote may be neither 0 nor 1, which clang would believe.
            is_object = not isinstance(node, c_ast.UnaryOp) or node.op == "*"
            self.has_replaced |= is_object
            return replace(found, text=_TRUTH.format(found.text)) if is_object else found
        return found

    def _any(self, node: Any) -> Value:
        handler = getattr(self, f"_{type(node).__name__}", None)
        if handler is None:
            raise Refused(node, f"'{type(node).__name__}' is not known to the checks; write it more plainly")
        found: Value = handler(node)
        return found

    def _Constant(self, node: Any) -> Value:
        if node.type == "string":
            if node.value[0] != '"':
                raise Refused(node, "write the string without a prefix")
            name = f"sj_text{self.number()}"
            # Each call's own, so that one that writes to it, which C leaves undefined, does nothing to others.
            self.hidden.append(f"char {name}[] = {node.value}")
            return Value(name, ArrayOf(Arithmetic("i", 8), ""), whole(name, 0, "a string"))
        if node.type in ("char",):
            return Value(node.value, INT)
        if "double" not in node.type and "float" not in node.type:
            return Value(node.value, _integer_type(node.value))
        if "long" in node.type:
            return Value(node.value, Arithmetic("f", 80))
        return Value(
            node.value, Arithmetic("f", 32) if node.value[-1] in "fF" and "x" not in node.value.lower() else DOUBLE
        )

    def _ID(self, node: Any) -> Value:
        known = self.symbol(node.name)
        if known is None:
            return self._constant(node)
        if known.value is not None:
            return Value(known.text, known.type)
        return Value(known.text, known.type, known.root or _object(known.text, node.name))

    @staticmethod
    def _constant(node: Any) -> Value:
        if node.name == "NULL":
            return Value("NULL", PointerTo(VOID), NOWHERE)
        if node.name == "_Complex_I":
            return Value(node.name, Arithmetic("c", 64))
        if _FLOAT_CONSTANTS.match(node.name):
            is_single = node.name.startswith("FLT") or node.name in ("INFINITY", "NAN", "HUGE_VALF")
            return Value(node.name, Arithmetic("f", 32) if is_single else DOUBLE)
        bits = 64 if re.search("64|LONG|LLONG|SIZE|PTRDIFF", node.name) else 32
        is_unsigned = re.match("UINT_MAX|UINT32_MAX|UINT64_MAX|ULONG_MAX|ULLONG_MAX|SIZE_MAX", node.name)
        return Value(node.name, Arithmetic("u" if is_unsigned else "i", bits))

    def _ExprList(self, node: Any) -> Value:
        values = [self.value(e) for e in node.exprs]
        return Value(f"({', '.join(v.text for v in values)})", values[-1].type, values[-1].root)

    # -- objects --------------------------------------------------------------------------------------------------

    def _StructRef(self, node: Any) -> Value:
        base = self._behind(node, node.name, None) if node.type == "->" else self._any(node.name)
        if node.type == "." and isinstance(node.name, _VALUES):
            base = self._kept(base)
        found = base.type.field(node.field.name) if isinstance(base.type, StructOf) else None
        if found is None:
            raise Refused(
                node, f"the fields of this struct are not known here; define it before '{node.field.name}' is used"
            )
        typ, promoted_to = found
        bits = None if promoted_to is None else (base.text, node.field.name, promoted_to)
        return Value(f"{base.text}.{node.field.name}", typ, base.root, bits)

    def _ArrayRef(self, node: Any) -> Value:
        return self._behind(node, node.name, node.subscript)

    def _behind(self, node: Any, base: Any, subscript: Any | None) -> Value:
        """The object at a subscript of an array or pointer, once it is known to be inside."""
        found, index = self._any(base), self.value(subscript) if subscript is not None else Value("0", INT)
        if isinstance(found.type, Arithmetic) and subscript is not None:  # 3[x]
            found, index, base = self._any(subscript), self.value(base), subscript
        if isinstance(found.type, ArrayOf) and found.type.length is not None:
            return self._element(node, base, found, found.type, index)
        pointer = self.value(base) if isinstance(found.type, ArrayOf) else found
        if not isinstance(pointer.type, PointerTo):
            raise Refused(node, "this is no array or pointer that the checks can follow")
        return self._pointee(node, base, pointer, pointer.type.to, index)

    def _element(self, node: Any, base: Any, array: Value, typ: ArrayOf, index: Value) -> Value:
        # Of an array whose length is a constant, `sizeof` knows it wherever the array can be named.
        length = typ.length or f"(int64_t)(sizeof({array.text}) / sizeof({array.text}[0]))"
        site = self.site("index", node, _shown(base), _plain(typ.length))
        checked = f"sj_index(sj_f, {site}, (int64_t)({index.text}), {length})"
        return Value(f"{array.text}[{checked}]", typ.of, array.root)

    def _pointee(self, node: Any, base: Any, pointer: Value, typ: CType, index: Value) -> Value:
        if typ == VOID:
            raise Refused(node, "what is behind a 'void *' has no size; cast it to a pointer to its type")
        root = self._root(base, pointer)
        site = self.site("pointer", node, root.name or _shown(base))
        # Of rows of variable length, `sizeof` and `typeof` evaluate what they are given: a name then.
        row, before = pointer.text, ""
        if has_variable_length(typ) and not isinstance(base, c_ast.ID):
            row, before = "sj_q", f"__auto_type sj_q = {pointer.text}; "
        where = f"{row}, (int64_t)({index.text}), {_row_size(typ, f'(*{row})')}, {root.low}, {root.high}"
        address = f"{self._at}(sj_f, {site}, {where})"
        _require_bounded(node, pointer.text + address)
        kind = f"__typeof__(&{row}[0])"
        if self.checked:
            site = self.site("alignment", node, root.name or _shown(base))
            address = f"sj_aligned(sj_f, {site}, {address}, _Alignof(__typeof__({_element_of(typ, f'(*{row})')})))"
            address = self._live(base, address, root)
        return Value(f"(*({{ {before}({kind}){address}; }}))" if before else f"(*({kind}){address})", typ, root)

    def _live(self, node: Any, address: str, root: Root) -> str:
        """An address that is looked at once more in `checked`: whether its block was freed."""
        if not (self.checked and self.may_free):
            return address
        site = self.site("freed", node, root.name if root.name != "block" else _shown(node))
        return f"sj_live(sj_f, {site}, {address}, {root.low})"

    @property
    def _at(self) -> str:
        """What compares an access: `checked` also finds a distance that is too long for an address."""
        return "sj_far" if self.checked else "sj_at"

    @staticmethod
    def _root(node: Any, pointer: Value) -> Root:
        if pointer.root is None:
            raise Refused(
                node,
                "it is not known what this points into; assign it to a pointer variable, or index the array itself",
            )
        return pointer.root

    def _CompoundLiteral(self, node: Any) -> Value:
        self.require_constant_type(node.type)
        typ = self.types.read(node.type)
        require_traceable(node, typ)
        return Value(f"({print_tree(node.type).strip()})" + self.initial(node.init, typ), typ)

    def _literal(self, literal: Value) -> Value:
        """A compound literal as an object that is known where it lies."""
        found = self._placed("literal", f"__auto_type sj_q = &{literal.text};", "sizeof(*sj_q)")
        return replace(found, text=f"(*{found.text})", type=literal.type)

    def _kept(self, value: Value) -> Value:
        """A struct that is no object, as one."""
        made = f"__auto_type sj_t = {value.text}; __auto_type sj_q = &sj_t;"
        found = self._placed("value", made, "sizeof(*sj_q)")
        return replace(found, text=f"(*{found.text})", type=value.type)

    def _placed(self, name: str, made: str, size: str) -> Value:
        """The pointer `sj_q` that something makes to a new object, which lives as long as the call, and its root."""
        root = self.shadow(name, 0)
        kept = f"{root.low} = (uint64_t)sj_q; {root.high} = {root.low} + {size};"
        return Value(f"({{ {made} {kept} sj_q; }})", PointerTo(VOID), root)

    def initial(self, node: Any, typ: CType | None) -> str:
        """What a declaration is initialised with; `typ` is None where braces are left out or places are named."""
        if isinstance(node, c_ast.InitList):
            parts = (self.initial(e, _part(typ, i)) for i, e in enumerate(node.exprs))
            return f"{{{', '.join(parts)}}}"
        if isinstance(node, c_ast.NamedInitializer):
            places = "".join(f".{d.name}" if isinstance(d, c_ast.ID) else print_tree(d).strip() for d in node.name)
            return f"{places} = {self.initial(node.expr, None)}"
        if isinstance(node, c_ast.Constant) and node.type == "string" and not isinstance(typ, PointerTo):
            return str(node.value)
        value = self.value(node)
        return value.text if typ is None else self.converted(value, typ, node).text

    # -- operators ------------------------------------------------------------------------------------------------

    def _UnaryOp(self, node: Any) -> Value:
        operator = node.op
        if operator in ("sizeof", "_Alignof"):
            return self._size(node)
        if operator == "&":
            return self._address(node)
        if operator == "*":
            return self._behind(node, node.expr, None)
        if operator in ("++", "--", "p++", "p--"):
            return self._step(node, operator)
        operand = self.value(node.expr)
        if operator == "!":
            return Value(f"(!{operand.text})", INT)
        typ = promoted(operand.type)
        if operator == "-" and self._overflows(typ):
            return self._overflow(node, "sub", Value("0", typ), operand, typ)
        return Value(f"({operator}{operand.text})", typ)

    def _size(self, node: Any) -> Value:
        """`sizeof`: of an array of variable length, the product of its lengths."""
        self._require_unevaluated(node)
        if not isinstance(node.expr, c_ast.Typename):
            typ = self._any(node.expr).type
            if has_variable_length(typ) and not self.is_passed(node.expr):
                return Value(f"((uint64_t){_row_size(typ, f'({print_tree(node.expr).strip()})')})", SIZE)
        return Value(f"{node.op}({print_tree(node.expr).strip()})", SIZE)

    def _require_unevaluated(self, node: Any) -> None:
        """Refuse a `sizeof` whose operand C would evaluate, or that does anything."""
        self.require_constant_type(node.expr)
        if any(isinstance(n, c_ast.FuncCall | c_ast.Assignment) for n in walk(node.expr)):
            raise Refused(node, "'sizeof' of a call or an assignment is not followed; write the type")

    def _address(self, node: Any) -> Value:
        """The address of an object: nothing is accessed, so nothing is checked but later accesses."""
        inner = node.expr
        if isinstance(inner, c_ast.ArrayRef):
            return self._moved(node, "+", self.value(inner.name), self.value(inner.subscript))
        if isinstance(inner, c_ast.UnaryOp) and inner.op == "*":
            return self.value(inner.expr)
        found = self._any(inner)
        if isinstance(found.type, PointerTo):
            raise Refused(node, "a pointer to a pointer is not followed; return the value, or use an index")
        if isinstance(inner, c_ast.CompoundLiteral):
            found = self._literal(found)
        return Value(f"(&{found.text})", PointerTo(found.type), found.root)

    def _step(self, node: Any, operator: str) -> Value:
        target = self._any(node.expr)
        sign = operator.strip("p")
        text = f"({target.text}{sign})" if operator.startswith("p") else f"({sign}{target.text})"
        if isinstance(target.type, PointerTo):
            self._require_variable(node.expr)
        elif target.type == BOOL and not target.is_bits:
            self.has_replaced = True
            before, place = _object_at(target)
            now = "!sj_old" if sign == "--" else "1"
            kept = f"bool sj_old = {_TRUTH.format(place)}; bool sj_b = {now}; {place} = sj_b;"
            return Value(f"({{ {before}{kept} {'sj_old' if operator.startswith('p') else 'sj_b'}; }})", INT)
        elif self._overflows(target.operand):
            kind = {"++": "add", "--": "sub"}[sign]
            before, place = _object_at(target)
            changed = self._overflow(node, kind, Value(place, target.operand), Value("1", INT), target.operand).text
            old = "sj_old" if operator.startswith("p") else place
            text = f"({{ {before}__auto_type sj_old = +{place}; {place} = {changed}; (void)sj_old; {old}; }})"
        return Value(text, target.operand, None if target.is_bits else target.root)

    def _overflows(self, typ: CType) -> bool:
        """Whether arithmetic of a type can overflow, and that is looked at."""
        return self.checked and isinstance(typ, Arithmetic) and typ.kind == "i" and typ.bits >= 32

    def _overflow(self, node: Any, kind: str, a: Value, b: Value, typ: CType) -> Value:
        assert isinstance(typ, Arithmetic)
        site = self.site("overflow", node, {"add": "+", "sub": "-", "mul": "*"}[kind], f"int{typ.bits}_t")
        return Value(f"sj_{kind}{typ.bits}(sj_f, {site}, {a.text}, {b.text})", typ)

    def _BinaryOp(self, node: Any) -> Value:
        left, right, operator = self.value(node.left), self.value(node.right), node.op
        pointers = [isinstance(v.type, PointerTo) for v in (left, right)]
        if operator in ("+", "-") and any(pointers):
            if all(pointers):
                # With names: of rows of variable length, `sizeof` evaluates what it is given.
                site = self.site("division", node, "/")
                text = (
                    f"({{ __auto_type sj_l = {left.text}; __auto_type sj_r = {right.text}; sj_divi64(sj_f, {site}, "
                    "(intptr_t)sj_l - (intptr_t)sj_r, (int64_t)sizeof(*sj_l)); })"
                )
                return Value(text, LONG)
            return self._moved(node, operator, *((left, right) if pointers[0] else (right, left)))
        if operator in ("&&", "||", "==", "!=", "<", "<=", ">", ">="):
            return Value(f"({left.text} {operator} {right.text})", INT)
        if operator in ("<<", ">>"):
            return self._shifted(node, left, right)
        return self._computed(node, operator, left, right)

    def _computed(self, node: Any, operator: str, left: Value, right: Value) -> Value:
        typ = common(left.type, right.type)
        if operator in ("/", "%") and isinstance(typ, Arithmetic) and typ.is_integer:
            site = self.site("division", node, operator)
            name = {"/": "div", "%": "rem"}[operator]
            return Value(f"sj_{name}{typ.kind}{typ.bits}(sj_f, {site}, {left.text}, {right.text})", typ)
        if operator in _OVERFLOWING and self._overflows(typ):
            return self._overflow(node, _OVERFLOWING[operator], left, right, typ)
        return Value(f"({left.text} {operator} {right.text})", typ)

    def _moved(self, node: Any, operator: str, pointer: Value, by: Value) -> Value:
        if isinstance(pointer.type, PointerTo) and pointer.type.to == VOID:
            raise Refused(node, "arithmetic with a 'void *' has no size; cast it to a pointer to its type")
        return Value(f"({pointer.text} {operator} {by.text})", pointer.type, pointer.root)

    def _shifted(self, node: Any, left: Value, right: Value) -> Value:
        typ = promoted(left.type)
        assert isinstance(typ, Arithmetic)
        if not self.checked:  # the hardware's answer, which C leaves open
            self.has_replaced = True
            by = f"(int64_t)({right.text}) & (int64_t)(sizeof(sj_s) * 8 - 1)"
        else:
            site = self.site("shift", node, "", str(typ.bits))
            by = f"sj_shift(sj_f, {site}, (int64_t)({right.text}), (int64_t)sizeof(sj_s) * 8)"
        # clang's own width decides, whatever is believed of the type here.
        return Value(f"({{ __auto_type sj_s = +{left.text}; sj_s {node.op} ({by}); }})", typ)

    def _TernaryOp(self, node: Any) -> Value:
        condition, a, b = (self.value(n) for n in (node.cond, node.iftrue, node.iffalse))
        if isinstance(a.type, PointerTo) or isinstance(b.type, PointerTo):
            typ: CType = a.type if isinstance(a.type, PointerTo) and a.type.to != VOID else b.type
            if isinstance(a.type, PointerTo) and isinstance(b.type, PointerTo) and VOID not in (a.type.to, b.type.to):
                self._require_same_rows(node, a.type, b.type)
            roots = {v.root for v in (a, b)} - {NOWHERE, None}
            if len(roots) < 2:
                root = roots.pop() if roots else NOWHERE
                return Value(f"({condition.text} ? {a.text} : {b.text})", typ, root)
            return self._either(node, condition, (a, b), typ)
        return Value(f"({condition.text} ? {a.text} : {b.text})", common(a.type, b.type))

    @staticmethod
    def _require_same_rows(node: Any, a: CType, b: CType) -> None:
        if not same_rows(a, b):
            raise Refused(node, "both sides of '?:' have rows of the same length; use an if")

    def _either(self, node: Any, condition: Value, pointers: Sequence[Value], typ: CType) -> Value:
        """One of two pointers; which one it was is kept beside it. clang evaluates arguments from left to right."""
        root = self.shadow("either", 0)
        chosen = Symbol(typ, MAX_DEPTH, "", root)
        texts = []
        for part, value in zip((node.iftrue, node.iffalse), pointers, strict=True):
            own = self._root(part, value)
            self.flows(chosen, own, part)
            # The pointer last, so that its own parts have been evaluated where they are set in passing.
            texts.append(
                f"({{ __auto_type sj_q = {value.text}; {root.low} = {own.low}; {root.high} = {own.high}; sj_q; }})"
            )
        names = " or ".join(dict.fromkeys(v.root.name for v in pointers if v.root is not None and v.root.name))
        text = f"({condition.text} ? {texts[0]} : {texts[1]})"
        _require_bounded(node, text)
        return Value(text, typ, replace(root, name=names))

    def _Cast(self, node: Any) -> Value:
        self.name_lengths(node.to_type)
        self.require_constant_type(node.to_type)
        typ, operand = self.types.read(node.to_type), self.value(node.expr)
        shown = print_tree(node.to_type).strip()
        if isinstance(typ, PointerTo):
            if isinstance(typ.to, PointerTo):
                raise Refused(node, "a pointer to a pointer is not followed; use an index")
            if has_wide_float(typ.to):
                raise Refused(node, "a 'long double' may not lie where a pointer is made to point; use double")
            if isinstance(operand.type, PointerTo):
                return Value(f"(({shown}){operand.text})", typ, operand.root)
            if isinstance(node.expr, c_ast.Constant) and node.expr.value.rstrip("uUlL") == "0":
                return Value("NULL", typ, NOWHERE)
            raise Refused(node, "a pointer made of a number points nowhere; take the address of an object")
        return Value(f"(({shown}){self.converted(operand, typ, node).text})", typ)

    def converted(self, value: Value, typ: CType, node: Any) -> Value:
        """A value for an object of a type: `checked` looks whether a floating value fits an integer."""
        is_rounded = isinstance(value.type, Arithmetic) and value.type.kind == "f" and value.type.bits <= 64
        if not (self.checked and is_rounded and isinstance(typ, Arithmetic) and typ.kind in "iu"):
            return value
        site = self.site("conversion", node, f"{'u' if typ.kind == 'u' else ''}int{typ.bits}_t")
        return Value(f"sj_fit{typ.kind}{typ.bits}(sj_f, {site}, {value.text})", typ)

    # -- assignments ----------------------------------------------------------------------------------------------

    def _Assignment(self, node: Any) -> Value:
        target = self._any(node.lvalue)
        if isinstance(target.type, PointerTo):
            self._require_variable(node.lvalue)
            if node.op == "=":
                return self.pointed(node.lvalue.name, node.rvalue)
            return Value(f"({target.text} {node.op} {self.value(node.rvalue).text})", target.type, target.root)
        if node.op == "=":
            source = self.converted(self.value(node.rvalue), target.type, node)
            text = f"({target.text} = {source.text})"
            return Value(f"(+{text})" if target.is_bits else text, target.operand)
        return self._updated(node, target)

    def _updated(self, node: Any, target: Value) -> Value:
        """`x op= y`: where the operation is checked, on the object's address, which is computed once."""
        operator, operand = node.op[:-1], self.value(node.rvalue)
        before, place = _object_at(target)
        is_bool = target.type == BOOL and not target.is_bits
        old = Value(_TRUTH.format(place) if is_bool else place, INT if is_bool else target.operand)
        operation = self._shifted if operator in ("<<", ">>") else None
        shim = c_ast.BinaryOp(operator, node.lvalue, node.rvalue, node.coord)
        if operation is not None:
            changed = operation(shim, old, Value("sj_v", operand.type))
        else:
            changed = self._computed(shim, operator, old, Value("sj_v", operand.type))
        changed = self.converted(changed, target.type, node)
        if "sj_f" not in changed.text and operation is None and not is_bool:
            text = f"({target.text} {node.op} {operand.text})"
            return Value(f"(+{text})" if target.is_bits else text, target.operand)
        _require_bounded(node, changed.text + target.text)
        self.has_replaced |= is_bool
        result = "bool sj_b = " if is_bool else "__auto_type sj_b = +"
        if is_bool or target.is_bits:
            kept = f"{result}({place} = {changed.text}); sj_b;"
        else:
            kept = f"{place} = {changed.text};"
        text = f"({{ {before}__auto_type sj_v = {operand.text}; {kept} }})"
        return Value(text, INT if is_bool else target.operand)

    def pointed(self, name: str, source: Any) -> Value:
        """A pointer variable set, and its shadows with it."""
        symbol = self.symbol(name)
        assert symbol is not None
        assert symbol.root is not None
        if isinstance(source, c_ast.TernaryOp):
            condition = self.value(source.cond)
            a, b = (self.pointed(name, n).text for n in (source.iftrue, source.iffalse))
            return Value(f"({condition.text} ? {a} : {b})", symbol.type, symbol.root)
        value = self.value(source)
        if isinstance(value.type, Arithmetic):
            if value.text != "0":
                raise Refused(source, "a pointer made of a number points nowhere; take the address of an object")
            value = Value("0", symbol.type, NOWHERE)
        root = self._root(source, value)
        self.flows(symbol, root, source)
        if root == symbol.root:
            return Value(f"({symbol.text} = {value.text})", symbol.type, symbol.root)
        low, high = symbol.root.low, symbol.root.high
        text = f"({symbol.text} = {value.text}, {low} = {root.low}, {high} = {root.high}, {symbol.text})"
        return Value(text, symbol.type, symbol.root)

    @staticmethod
    def _require_variable(node: Any) -> None:
        if not isinstance(node, c_ast.ID):
            raise Refused(node, "pointers are followed in variables only; use an index into the array")

    # -- calls ----------------------------------------------------------------------------------------------------

    def _FuncCall(self, node: Any) -> Value:
        name = node.name.name
        given = list(node.args.exprs) if isinstance(node.args, c_ast.ExprList) else [node.args] if node.args else []
        known = self.symbol(name)
        if known is not None and isinstance(known.type, FunctionOf):
            return self._own_call(known, known.type, given)
        if name == "offsetof":
            self.require_constant_type(given[0])
            if any(isinstance(n, c_ast.ArrayRef) and not self.is_constant(n.subscript) for n in walk(given[1])):
                raise Refused(node, "a subscript in 'offsetof' is a constant")
            return Value(print_tree(node).strip(), SIZE)
        if name in _REPLACED:
            return self._replaced(node, name, given)
        if name in vocabulary.ARENA_FUNCTIONS:
            return self._freed(node, given[0]) if name == "free" else self._allocated(node, name, given)
        if name in _ABSOLUTE and self.checked:
            bits = _ABSOLUTE[name]
            site = self.site("overflow", node, name, f"int{bits}_t")
            value = self.converted(self.value(given[0]), Arithmetic("i", bits), given[0])
            return Value(f"sj_abs{bits}(sj_f, {site}, {value.text})", Arithmetic("i", bits))
        if name in library_functions():
            return self._library_call(node, name, library_functions()[name], given)
        is_text = [isinstance(a, c_ast.Constant) and a.type == "string" for a in given]  # of nan(""): the compiler's
        values = [Value(a.value, VOID) if t else self.value(a) for a, t in zip(given, is_text, strict=True)]
        typ = _builtin_type(name, values)
        return Value(f"{name}({', '.join(v.text for v in values)})", typ)

    def _own_call(self, symbol: Symbol, typ: FunctionOf, given: Sequence[Any]) -> Value:
        passed = ["sj_f"]
        for param, node in zip(typ.params, given, strict=False):
            value = self.value(node)
            if isinstance(param, PointerTo):
                root = NOWHERE if value.text == "0" else self._root(node, value)
                passed += [value.text, root.low, root.high]
            else:
                passed.append(self.converted(value, param, node).text)
        return Value(f"{symbol.text}({', '.join(passed)})", typ.returns)

    def _library_call(self, node: Any, name: str, typ: FunctionOf, given: Sequence[Any]) -> Value:
        values = [self.converted(self.value(a), t, a) for a, t in zip(given, typ.params, strict=False)]
        pointers = [i for i, t in enumerate(typ.params) if isinstance(t, PointerTo)]
        if not pointers:
            call = f"{name}({', '.join(v.text for v in values)})"
            return Value(call, typ.returns)
        texts = [v.text for v in values]
        count = 2 if name in _COUNTED else None
        for i in pointers:
            root = self._root(given[i], values[i])
            site = self.site("memory", given[i], root.name or _shown(given[i]))
            size = "(int64_t)sj_n" if count is not None else str(_bytes_behind(typ.params[i]))
            texts[i] = f"sj_span(sj_f, {site}, {texts[i]}, {size}, {root.low}, {root.high})"
            texts[i] = self._live(given[i], texts[i], root)
        if count is None:
            return Value(f"{name}({', '.join(texts)})", typ.returns)
        length, texts[count] = texts[count], "sj_n"
        text = f"({{ size_t sj_n = {length}; {name}({', '.join(texts)}); }})"
        return Value(text, typ.returns, self._root(given[0], values[0]))  # what returns a pointer returns the first

    def _allocated(self, node: Any, name: str, given: Sequence[Any]) -> Value:
        """A new block of the arena, which is its own root."""
        self.has_replaced = True
        site = self.site("allocation", node, name)
        sizes = [f"(uint64_t)({self.value(a).text})" for a in (given[1:] if name == "realloc" else given)]
        size = f"sj_product(sj_f, {site}, {', '.join(sizes)})" if name == "calloc" else sizes[0]
        if name == "realloc":
            old = self.value(given[0])
            freeing = self.site("free", given[0], _shown(given[0]))
            made = f"sj_grown(sj_f, {site}, {freeing}, {old.text}, {self._root(given[0], old).low}, {size})"
        else:
            made = f"sj_alloc(sj_f, {site}, {size})"
        return self._placed("block", f"void *sj_q = {made};", "(uint64_t)sj_size(sj_q)")

    def _freed(self, node: Any, given: Any) -> Value:
        self.has_replaced = True
        pointer = self.value(given)
        site = self.site("free", node, _shown(given))
        return Value(f"sj_free(sj_f, {site}, (void *){pointer.text}, {self._root(given, pointer).low})", VOID)

    def _replaced(self, node: Any, name: str, given: Sequence[Any]) -> Value:
        """Builtins whose wrong use lets the compiler assume anything."""
        self.has_replaced = True
        if name == "__builtin_unreachable":
            return Value(f"sj_panic(sj_f, {self.site('unreachable', node)}, 0, 0)", VOID)
        if name == "__builtin_assume":
            if not self.checked:
                return Value("((void)0)", VOID)
            site = self.site("assumption", node, _shown(given[0]))
            return Value(f"sj_assume(sj_f, {site}, ({self.value(given[0]).text}) != 0)", VOID)
        if name == "__builtin_assume_aligned":
            return self.value(given[0])
        if name == "__builtin_prefetch":
            return Value("((void)0)", VOID)
        value = self.value(given[0])
        bits = 64 if name.endswith("l") else 32
        return Value(f"({{ uint{bits}_t sj_v = {value.text}; sj_v ? {name}(sj_v) : {bits}; }})", INT)


#: A byte as C's bool, whatever it is: clang would believe that it is 0 or 1.
_TRUTH: Final = "(*(const volatile unsigned char *)&{} != 0)"


def _row_size(typ: CType, text: str) -> str:
    """The bytes of an object of a type, in C; of a variable length a product that does not wrap."""
    if not has_variable_length(typ):
        return f"(int64_t)sizeof({text})"
    assert isinstance(typ, ArrayOf), "others have no length"
    length = typ.length or f"(int64_t)(sizeof({text}) / sizeof({text}[0]))"
    return f"sj_times({length}, {_row_size(typ.of, f'{text}[0]')})"


def _element_of(typ: CType, text: str) -> str:
    """What an array is made of in the end; for others the object itself."""
    return _element_of(typ.of, f"{text}[0]") if isinstance(typ, ArrayOf) else text


def _object_at(target: Value) -> tuple[str, str]:
    """A declaration of `sj_p` that points at an object, or at the struct of a bit-field, and the object behind it."""
    text, field = (target.text, "") if target.bits is None else target.bits[:2]
    return f"__typeof__({text}) *sj_p = &{text}; ", f"sj_p->{field}" if field else "(*sj_p)"


_REPLACED: Final = frozenset(
    "__builtin_unreachable __builtin_assume __builtin_assume_aligned __builtin_prefetch __builtin_clz __builtin_clzl "
    "__builtin_clzll __builtin_ctz __builtin_ctzl __builtin_ctzll".split()
)


def _require_bounded(node: Any, text: str) -> None:
    """Refuse nesting whose text would double and double again."""
    if len(text) > MAX_EXPRESSION:
        raise Refused(node, "this is nested too deeply for the checks; use variables for its parts")


def _bytes_behind(pointer: CType) -> int:
    """What a library function reads or writes through a pointer: one number of the declared type."""
    assert isinstance(pointer, PointerTo)
    size = size_of(pointer.to)
    assert size is not None, "the others take a length"
    return size


def _part(typ: CType | None, index: int) -> CType | None:
    """The type of an initialiser's part, where it is a number's."""
    match typ:
        case ArrayOf():
            return typ.of
        case StructOf() if index < len(typ.fields) and all(isinstance(t, Arithmetic) for _, t in typ.fields):
            return typ.fields[index][1]  # with arrays and structs inside, braces may be left out
    return None


def _object(text: str, name: str) -> Root:
    """The root of any object; it lives as long as the call."""
    return Root(f"(uint64_t)&{text}", f"((uint64_t)&{text} + sizeof({text}))", 0, name)


def _integer_type(text: str) -> Arithmetic:
    """The type of an integer literal (C11, 6.4.4.1)."""
    digits, suffix = text.rstrip("uUlL"), text[len(text.rstrip("uUlL")) :].lower()
    number = integer(text)
    kinds = ["u"] if "u" in suffix else ["i"] if digits[0] != "0" else ["i", "u"]
    for bits in (64,) if "l" in suffix else (32, 64):
        for kind in kinds:
            if number < 1 << (bits - (kind == "i")):
                return Arithmetic(kind, bits)
    return Arithmetic("u", 64)


def _builtin_type(name: str, values: Sequence[Value]) -> CType:
    """The result of a macro or builtin without a prototype."""
    short = name.removeprefix("__builtin_")
    if re.match("is|signbit|popcount|parity|ffs", short):
        return INT
    if short.startswith("bswap"):
        return Arithmetic("u", max(32, int(short[5:])))
    if short == "expect":
        return LONG
    if short.upper().startswith(("CMPLX", "COMPLEX")):
        is_single = short == "CMPLXF" or all(v.type == Arithmetic("f", 32) for v in values)
        return Arithmetic("c", 64 if is_single else 128)
    return Arithmetic("f", 32) if short.endswith("f") and short != "inf" else DOUBLE


def _shown(node: Any) -> str:
    return " ".join(print_tree(node).split()).rstrip(";")[:60]


def _plain(length: str) -> str:
    """A length under the name that the candidate has for it."""
    return length.removeprefix("sj_n_") if length.startswith("sj_n_") else ""
