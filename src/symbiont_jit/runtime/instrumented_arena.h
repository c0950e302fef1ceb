#pragma once

/*
The arena as instrumented code calls it. The text in front defines SJ_PREFERS_NEW: whether freed blocks wait until the
rest is used up, so that an access to a freed block finds that it was freed.
*/

#include "runtime/arena.h"
#include "runtime/checks.h"

/* Allocate a block of zeros. Clearing it counts as steps; the next step of a loop finds that there are none left. */
__attribute__((unused)) static void *sj_alloc(struct sj_frame *frame, int64_t site, uint64_t size)
{
  if (!frame->arena)
    frame->arena = sj_open_arena();
  void *p = sj_take_block(frame->arena, size, SJ_PREFERS_NEW);
  if (!p)
    sj_panic(frame, site, (int64_t)size, 0);
  frame->fuel -= (int64_t)(size >> 6);
  return __builtin_memset(p, 0, size);
}

SJ_INLINE uint64_t sj_product(struct sj_frame *frame, int64_t site, uint64_t a, uint64_t b)
{
  uint64_t r;
  if (__builtin_mul_overflow(a, b, &r))
    sj_panic(frame, site, -1, 0);
  return r;
}

SJ_INLINE int64_t sj_size(const void *p)
{
  return ((const struct sj_block *)p - 1)->size;
}

/* Whether the bounds of a pointer begin in this call's arena, which they do exactly at a block. */
SJ_INLINE int sj_is_ours(struct sj_frame *frame, uint64_t low)
{
  return frame->arena && low > (uint64_t)frame->arena->begin && low < (uint64_t)frame->arena->end;
}

__attribute__((unused)) static void sj_free(struct sj_frame *frame, int64_t site, void *p, uint64_t low)
{
  if (!p)
    return;
  int is_block = sj_is_ours(frame, low) && low == (uint64_t)p;
  if (!is_block || !((struct sj_block *)p - 1)->is_live)
    sj_panic(frame, site, is_block, 0);
  sj_give_block(frame->arena, p);
}

/* Reallocate. The new block is taken before the old one is freed, so that the two are never the same. */
__attribute__((unused)) static void *sj_grown(struct sj_frame *frame, int64_t site, int64_t freeing, void *p,
                                              uint64_t low, uint64_t size)
{
  void *q = sj_alloc(frame, site, size);
  if (p)
  {
    sj_free(frame, freeing, p, low);
    int64_t old = sj_size(p);
    __builtin_memmove(q, p, (uint64_t)old < size ? (uint64_t)old : size);
  }
  return q;
}

SJ_INLINE void *sj_live(struct sj_frame *frame, int64_t site, void *p, uint64_t low)
{
  if (SJ_UNLIKELY(sj_is_ours(frame, low) && !((struct sj_block *)low - 1)->is_live))
    sj_panic(frame, site, 0, 0);
  return p;
}
