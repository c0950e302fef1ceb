#pragma once

/*
The arena of unchecked code: each function does what C says of it, and gives null where no memory is left. Blocks begin
as zeros, as in the other profiles: nothing that an earlier call has left can be read.
*/

#include "runtime/arena.h"

__attribute__((noinline, unused)) static void *sj_malloc(uint64_t size)
{
  struct sj_thread *thread = sj_current_thread();
  struct sj_arena *arena = thread->is_open ? thread->arena : sj_open_arena();
  thread->is_open = 1;
  void *p = sj_take_block(arena, size, 0);
  return p ? __builtin_memset(p, 0, size) : 0;
}

__attribute__((unused)) static void *sj_calloc(uint64_t a, uint64_t b)
{
  uint64_t size;
  return __builtin_mul_overflow(a, b, &size) ? 0 : sj_malloc(size);
}

__attribute__((unused)) static void sj_free(void *p)
{
  if (p)
    sj_give_block(sj_current_thread()->arena, p);
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
