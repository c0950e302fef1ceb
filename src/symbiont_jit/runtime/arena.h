#pragma once

/*
Memory for `malloc` and its family: each thread has a bounded arena, which is empty at the beginning of every call.

Every block has a header in front, which no pointer of a candidate can reach in instrumented code. Freed blocks are used
again: blocks of 16, 32, ... 2**19 bytes are kept by size, and longer blocks in one list.
*/

#include "runtime/thread_slots.h"

struct sj_block
{
  int64_t size, room, is_live;
  struct sj_block *next;
};

struct sj_arena
{
  char *begin, *next, *end;
  struct sj_block *freed[17];
};

/* Return the arena of this thread, emptied; null where there is no memory for one. */
extern struct sj_arena *sj_open_arena(void);

SJ_INLINE int sj_size_class(int64_t size)
{
  int number = size <= 16 ? 0 : 60 - __builtin_clzl((unsigned long)size - 1);
  return number < 16 ? number : 16;
}

SJ_INLINE struct sj_block *sj_reuse_block(struct sj_arena *arena, int64_t size)
{
  struct sj_block **at = &arena->freed[sj_size_class(size)];
  while (*at && (*at)->room < size)
    at = &(*at)->next;
  struct sj_block *block = *at;
  if (block)
    *at = block->next;
  return block;
}

/* Take a block of at least `size` bytes, whose values are not set; null where none is left. */
__attribute__((noinline, unused)) static void *sj_take_block(struct sj_arena *arena, uint64_t size, int prefers_new)
{
  if (!arena || size > (uint64_t)(arena->end - arena->begin))
    return 0;
  int number = sj_size_class((int64_t)size);
  int64_t room = number < 16 ? 16L << number : (int64_t)((size + 15) & ~15UL);
  int has_room = arena->end - arena->next >= room + (int64_t)sizeof(struct sj_block);
  struct sj_block *block = prefers_new && has_room ? 0 : sj_reuse_block(arena, (int64_t)size);
  if (!block)
  {
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

__attribute__((noinline, unused)) static void sj_give_block(struct sj_arena *arena, void *p)
{
  struct sj_block *block = (struct sj_block *)p - 1;
  block->is_live = 0;
  block->next = arena->freed[sj_size_class(block->room)];
  arena->freed[sj_size_class(block->room)] = block;
}
