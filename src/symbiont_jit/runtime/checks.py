"""The C that guarded code calls: checks that either give their value or end the call with a panic.

In: nothing. Out: text that stands before a guarded text. A panic records its site and two values in the call's frame
and jumps back to the shim (`__builtin_longjmp`), which reports it and returns zero. All checks are small and inlined;
what happens on failure is kept out of line.
"""

from __future__ import annotations

import re
from typing import Final

from symbiont_jit.runtime.thread_slots import PLACE

__all__ = ["ENTRY_SHIM", "FIND_PLACE", "INTERRUPTED", "NO_ROOM", "runtime"]

#: What a panic has instead of a place in the text: the call was interrupted; the thread has no stack left for it.
INTERRUPTED: Final = -1
NO_ROOM: Final = -2


_HEAD: Final = r"""
extern struct sj_record sj_panics[];
extern char sj_version[];
extern void sj_report(struct sj_frame *, struct sj_record *, int64_t);
__attribute__((cold, noinline, noreturn))
static void sj_panic(struct sj_frame *sj_f, int64_t site, int64_t a, int64_t b)
{
  sj_f->site = site;
  sj_f->a = a;
  sj_f->b = b;
  __builtin_longjmp(sj_f->jump, 1);
}
sj_check int64_t sj_index(struct sj_frame *sj_f, int64_t site, int64_t i, int64_t n)
{
  if (__builtin_expect((uint64_t)i >= (uint64_t)n, 0))
    sj_panic(sj_f, site, i, n);
  return i;
}
sj_check
void *sj_span(struct sj_frame *sj_f, int64_t site, const volatile void *p, int64_t size, uint64_t low, uint64_t high)
{
  uint64_t from = (uint64_t)p - low, room = high - low;
  if (__builtin_expect((size != 0) & ((from > room) | ((uint64_t)size > room - from)), 0))
    sj_panic(sj_f, site, size, low ? (from > room ? 0 : (int64_t)(room - from)) : -1);
  return (void *)(uint64_t)p;
}
sj_check
void *sj_at(
  struct sj_frame *sj_f, int64_t site, const volatile void *p, int64_t i, int64_t size, uint64_t low, uint64_t high)
{
  uint64_t to = (uint64_t)p + (uint64_t)i * (uint64_t)size, from = to - low, room = high - low;
  if (__builtin_expect((from > room) | ((uint64_t)size > room - from), 0))
    sj_panic(sj_f, site, (int64_t)from / (size ? size : 1), low ? (int64_t)room / (size ? size : 1) : -1);
  return (void *)to;
}
sj_check
void *sj_far(
  struct sj_frame *sj_f, int64_t site, const volatile void *p, int64_t i, int64_t size, uint64_t low, uint64_t high)
{
  int64_t distance;
  if (__builtin_expect(__builtin_mul_overflow(i, size, &distance), 0))
    sj_panic(sj_f, site, i, low ? (int64_t)(high - low) / (size ? size : 1) : -1);
  return sj_at(sj_f, site, p, i, size, low, high);
}
sj_check void *sj_aligned(struct sj_frame *sj_f, int64_t site, void *p, uint64_t to)
{
  if (__builtin_expect(((uint64_t)p & (to - 1)) != 0, 0))
    sj_panic(sj_f, site, (int64_t)((uint64_t)p & (to - 1)), (int64_t)to);
  return p;
}
sj_check void sj_step(struct sj_frame *sj_f, int64_t site)
{
  if (__builtin_expect((--sj_f->fuel < 0) | (sj_panics->number != 0), 0))
    sj_panic(sj_f, sj_panics->number ? -1 : site, 0, 0);  // -1: interrupted
}
sj_check void sj_enter(struct sj_frame *sj_f, int64_t site)
{
  const char *here = (const char *)__builtin_frame_address(0);
  if (__builtin_expect((uint64_t)here < (uint64_t)sj_f->floor, 0))
    sj_panic(sj_f, site, sj_f->stack - here, 0);
}
sj_check int64_t sj_times(int64_t a, int64_t b)
{
  int64_t r;
  return __builtin_mul_overflow(a, b, &r) ? (int64_t)(~(uint64_t)0 >> 1) : r;
}
struct sj_saved { struct sj_frame *frame; int64_t used; };
sj_check void sj_restore(struct sj_saved *s)
{
  s->frame->used = s->used;
}
sj_check int64_t sj_length(struct sj_frame *sj_f, int64_t site, int64_t n)
{
  if (__builtin_expect((n < 0) | (n > (1 << 24)), 0))
    sj_panic(sj_f, site, n, 0);
  return n;
}
sj_check void sj_room(struct sj_frame *sj_f, int64_t site, int64_t size)
{
  const char *here = (const char *)__builtin_frame_address(0);
  int64_t left = here - sj_f->floor - sj_f->used;
  if (__builtin_expect((size < 0) | (size > left), 0))
    sj_panic(sj_f, site, size, left);
  sj_f->used += size;
}
sj_check int64_t sj_shift(struct sj_frame *sj_f, int64_t site, int64_t by, int64_t bits)
{
  if (__builtin_expect((uint64_t)by >= (uint64_t)bits, 0))
    sj_panic(sj_f, site, by, bits);
  return by;
}
sj_check void sj_assume(struct sj_frame *sj_f, int64_t site, int holds)
{
  if (__builtin_expect(!holds, 0))
    sj_panic(sj_f, site, 0, 0);
}
"""

_DIVISION: Final = """
sj_check {t} sj_{name}{suffix}(struct sj_frame *sj_f, int64_t site, {t} a, {t} b)
{{
  if (__builtin_expect(b == 0{overflow}, 0))
    sj_panic(sj_f, site, (int64_t)a, (int64_t)b);
  return a {op} b;
}}
"""

_OVERFLOW: Final = """
sj_check {t} sj_{name}{bits}(struct sj_frame *sj_f, int64_t site, {t} a, {t} b)
{{
  {t} r;
  if (__builtin_expect(__builtin_{name}_overflow(a, b, &r), 0))
    sj_panic(sj_f, site, (int64_t)a, (int64_t)b);
  return r;
}}
"""

_ABSOLUTE: Final = """
sj_check {t} sj_abs{bits}(struct sj_frame *sj_f, int64_t site, {t} a)
{{
  if (__builtin_expect(a == (-__INT{bits}_MAX__ - 1), 0))
    sj_panic(sj_f, site, (int64_t)a, 0);
  return a < 0 ? -a : a;
}}
"""

_FIT: Final = """
sj_check {t} sj_fit{suffix}(struct sj_frame *sj_f, int64_t site, double v)
{{
  if (__builtin_expect(!(v > {low} && v < {high}), 0)) {{
    int64_t bits;
    __builtin_memcpy(&bits, &v, 8);
    sj_panic(sj_f, site, bits, 0);
  }}
  return ({t})v;
}}
"""


def _divisions() -> str:
    texts = []
    for suffix, t in (("i32", "int32_t"), ("i64", "int64_t"), ("u32", "uint32_t"), ("u64", "uint64_t")):
        least = f" || (b == -1 && a == (-__INT{suffix[1:]}_MAX__ - 1))" if suffix[0] == "i" else ""
        texts += [
            _DIVISION.format(t=t, name=n, suffix=suffix, op=op, overflow=least)
            for n, op in (("div", "/"), ("rem", "%"))
        ]
    return "".join(texts)


def _overflows() -> str:
    texts = [_OVERFLOW.format(t=f"int{b}_t", name=n, bits=b) for b in (32, 64) for n in ("add", "sub", "mul")]
    return "".join([*texts, *(_ABSOLUTE.format(t=f"int{b}_t", bits=b) for b in (32, 64))])


def _fits() -> str:
    texts = []
    for bits in (8, 16, 32, 64):
        # The largest double below the least integer that does not fit: -2**63 itself is a double.
        low = "-0x1.0000000000001p63" if bits == 64 else f"{-(2 ** (bits - 1)) - 1}.0"
        texts.append(_FIT.format(t=f"int{bits}_t", suffix=f"i{bits}", low=low, high=f"{2 ** (bits - 1)}.0"))
        texts.append(_FIT.format(t=f"uint{bits}_t", suffix=f"u{bits}", low="-1.0", high=f"{2**bits}.0"))
    return "".join(texts)


#: A thread's place, given to it at its first call.
FIND_PLACE: Final = """
extern struct sj_place *sj_enlist(void);
sj_check struct sj_place *sj_place(void)
{
  int64_t me = sj_me();
  struct sj_place *first = sj_nth(me, 0);
  return __builtin_expect(first->thread == me, 1) ? first : sj_enlist();
}
"""

_CHECKS: Final = FIND_PLACE + _HEAD + _divisions() + _overflows() + _fits()

#: The checks by the names that they define.
_PIECES: Final = {
    match[1]: piece
    for piece in re.split(r"(?m)^(?=sj_check|__attribute__|extern|struct)", _CHECKS)
    if (match := re.search(r"\b(sj_\w+)\s*[\[({;]", piece))
}


def runtime(text: str) -> str:
    """What a guarded text needs, in front of it: reading all of it takes clang longer than most texts."""
    needed: set[str] = set()
    new = set(re.findall(r"\bsj_\w+", text))
    while new:
        needed |= new
        new = {name for piece in new & _PIECES.keys() for name in re.findall(r"\bsj_\w+", _PIECES[piece])} - needed
    return PLACE + "".join(piece for name, piece in _PIECES.items() if name in needed)


#: The entry: a frame that panics come back to, in this thread's place, where an interruption finds it.
ENTRY_SHIM: Final = """{returns} {symbol}({params})
{{
  struct sj_frame sj_f;
  // What the landing below reads: a jump back finds only memory as it was left.
  struct sj_place *volatile sj_here = sj_place();
  struct sj_frame *volatile sj_outer = sj_here->frame;{keep}
  sj_f.stack = (const char *)__builtin_frame_address(0);
  // Below the last frame that looks at the stack there may be one that does not.
  const char *const sj_end = sj_here->floor + 2 * SJ_FRAME;
  sj_f.floor = sj_f.stack - {stack} > sj_end ? sj_f.stack - {stack} : sj_end;
  sj_f.used = 0;
  sj_f.arena = 0;
  sj_f.fuel = sj_panics->version;
  if (__builtin_expect(__builtin_setjmp(sj_f.jump) != 0, 0)) {{
    sj_here->frame = sj_outer;
    sj_report(&sj_f, sj_panics, (int64_t)sj_version);
    {zero}
  }}
  sj_here->panics = sj_panics;
  sj_here->frame = &sj_f;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (__builtin_expect((uint64_t)sj_f.stack - SJ_FRAME < (uint64_t)sj_f.floor, 0))
    sj_panic(&sj_f, {no_room}, sj_f.stack - sj_f.floor, 0);
  {body}
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  sj_here->frame = sj_outer;{give}
}}
"""
