"""`malloc` and its family in C: a bounded piece of memory for each thread, empty at the beginning of every call.

In: nothing. Out: texts that stand before a candidate's. Every block has a header in front, which no pointer of a
candidate can reach in guarded code. Freed blocks are used again; in `checked` only once the rest is used up, so that an
access to a freed block finds that it was freed.
"""

from __future__ import annotations

import re
from typing import Final

from symbiont_jit.c.vocabulary import ARENA_FUNCTIONS

__all__ = ["ARENA", "ARENA_BYTES", "GUARDED_ARENA", "RELEASE_ARENA", "allocates"]

#: Bytes that the blocks of one call can have together, with their headers.
ARENA_BYTES: Final = 64 << 20

_CALL: Final = re.compile(rf"\b({'|'.join(ARENA_FUNCTIONS)})\s*\(")


def allocates(text: str) -> bool:
    """Whether a canonical text calls the arena."""
    return bool(_CALL.search(text))


#: Blocks of 16, 32, ... 2**19 bytes are kept by size when freed, longer ones in one list.
ARENA: Final = """
struct sj_block { int64_t size, room, is_live; struct sj_block *next; };
struct sj_arena { char *begin, *next, *end; struct sj_block *freed[17]; };
extern struct sj_arena *sj_arena(void);
sj_check int sj_class(int64_t size)
{
  int class = size <= 16 ? 0 : 60 - __builtin_clzl((unsigned long)size - 1);
  return class < 16 ? class : 16;
}
sj_check struct sj_block *sj_reused(struct sj_arena *arena, int64_t size)
{
  struct sj_block **at = &arena->freed[sj_class(size)];
  while (*at && (*at)->room < size)
    at = &(*at)->next;
  struct sj_block *block = *at;
  if (block)
    *at = block->next;
  return block;
}
__attribute__((noinline, unused)) static void *sj_take(struct sj_arena *arena, uint64_t size, int prefers_new)
{
  if (!arena || size > (uint64_t)(arena->end - arena->begin))
    return 0;
  int class = sj_class((int64_t)size);
  int64_t room = class < 16 ? 16L << class : (int64_t)((size + 15) & ~15UL);
  int has_room = arena->end - arena->next >= room + (int64_t)sizeof(struct sj_block);
  struct sj_block *block = prefers_new && has_room ? 0 : sj_reused(arena, (int64_t)size);
  if (!block) {
    if (!has_room)
      return 0;
    block = (struct sj_block *)arena->next;
    arena->next += room + (int64_t)sizeof(struct sj_block);
    block->room = room;
  }
  block->size = (int64_t)size;
  block->is_live = 1;
  return block + 1;
}
__attribute__((noinline, unused)) static void sj_give(struct sj_arena *arena, void *p)
{
  struct sj_block *block = (struct sj_block *)p - 1;
  block->is_live = 0;
  block->next = arena->freed[sj_class(block->room)];
  arena->freed[sj_class(block->room)] = block;
}
"""

GUARDED_ARENA: Final = (
    ARENA
    + """
__attribute__((unused)) static void *sj_alloc(struct sj_frame *sj_f, int64_t site, uint64_t size)
{
  if (!sj_f->arena)
    sj_f->arena = sj_arena();
  void *p = sj_take(sj_f->arena, size, SJ_PREFERS_NEW);
  if (!p)
    sj_panic(sj_f, site, (int64_t)size, 0);
  return __builtin_memset(p, 0, size);
}
sj_check uint64_t sj_product(struct sj_frame *sj_f, int64_t site, uint64_t a, uint64_t b)
{
  uint64_t r;
  if (__builtin_mul_overflow(a, b, &r))
    sj_panic(sj_f, site, -1, 0);
  return r;
}
sj_check int64_t sj_size(const void *p)
{
  return ((const struct sj_block *)p - 1)->size;
}
sj_check int sj_is_ours(struct sj_frame *sj_f, uint64_t low)
{
  return sj_f->arena && low > (uint64_t)sj_f->arena->begin && low < (uint64_t)sj_f->arena->end;
}
__attribute__((unused)) static void sj_free(struct sj_frame *sj_f, int64_t site, void *p, uint64_t low)
{
  if (!p)
    return;
  int is_block = sj_is_ours(sj_f, low) && low == (uint64_t)p;
  if (!is_block || !((struct sj_block *)p - 1)->is_live)
    sj_panic(sj_f, site, is_block, 0);
  sj_give(sj_f->arena, p);
}
__attribute__((unused))
static void *sj_grown(struct sj_frame *sj_f, int64_t site, int64_t freeing, void *p, uint64_t low, uint64_t size)
{
  void *q = sj_alloc(sj_f, site, size);
  if (p) {
    sj_free(sj_f, freeing, p, low);
    int64_t old = sj_size(p);
    __builtin_memmove(q, p, (uint64_t)old < size ? (uint64_t)old : size);
  }
  return q;
}
sj_check void *sj_live(struct sj_frame *sj_f, int64_t site, void *p, uint64_t low)
{
  if (__builtin_expect(sj_is_ours(sj_f, low) && !((struct sj_block *)low - 1)->is_live, 0))
    sj_panic(sj_f, site, 0, 0);
  return p;
}
"""
)

#: Where nothing is checked: what C says of each, and null where the arena is used up.
RELEASE_ARENA: Final = (
    ARENA
    + """
__attribute__((noinline, unused)) static void *sj_malloc(uint64_t size)
{
  struct sj_place *here = sj_place();
  struct sj_arena *arena = here->is_open ? here->arena : sj_arena();
  here->is_open = 1;
  return sj_take(arena, size, 0);
}
__attribute__((unused)) static void *sj_calloc(uint64_t a, uint64_t b)
{
  uint64_t size;
  void *p = __builtin_mul_overflow(a, b, &size) ? 0 : sj_malloc(size);
  return p ? __builtin_memset(p, 0, size) : 0;
}
__attribute__((unused)) static void sj_free(void *p)
{
  if (p)
    sj_give(sj_place()->arena, p);
}
__attribute__((unused)) static void *sj_realloc(void *p, uint64_t size)
{
  void *q = sj_malloc(size);
  if (!p || !q)
    return q;
  uint64_t old = (uint64_t)((struct sj_block *)p - 1)->size;
  __builtin_memcpy(q, p, old < size ? old : size);
  sj_free(p);
  return q;
}
"""
    + "".join(f"#define {name} sj_{name}\n" for name in ARENA_FUNCTIONS)
)
