/* The arena of instrumented code. */

#include <pthread.h>
#include <sys/mman.h>

#include "driver.h"

static int prefers_new; /* as in `checked` */
#define SJ_PREFERS_NEW prefers_new
#include "runtime/instrumented_arena.h"

#define SITE 7

static struct outcome run(body *body)
{
  return attempt(body, 0);
}

static int64_t use_blocks(struct sj_frame *frame, void *with)
{
  (void)with;
  char *blocks[20], *first;
  for (int round = 0; round < 2; round++)
  {
    for (int i = 0; i < COUNT(blocks); i++)
    {
      uint64_t size = (uint64_t)1 << i;
      blocks[i] = sj_alloc(frame, SITE, size);
      EXPECT((uint64_t)blocks[i] % 16 == 0 && sj_size(blocks[i]) == (int64_t)size);
      EXPECT(blocks[i][0] == 0 && blocks[i][size - 1] == 0); /* Freed blocks were not. */
      __builtin_memset(blocks[i], i + 1, size);
    }
    for (int i = 0; i < COUNT(blocks); i++)
    {
      EXPECT(blocks[i][0] == i + 1 && blocks[i][((uint64_t)1 << i) - 1] == i + 1);
      sj_free(frame, SITE, blocks[i], (uint64_t)blocks[i]);
    }
  }
  char *odd = sj_alloc(frame, SITE, (1 << 20) + 1), *after = sj_alloc(frame, SITE, (1 << 20) + 1);
  EXPECT((uint64_t)after % 16 == 0 && after > odd + (1 << 20));
  first = frame->arena->begin + sizeof(struct sj_block);
  EXPECT(sj_is_ours(frame, (uint64_t)first) && !sj_is_ours(frame, (uint64_t)&first));
  sj_free(frame, SITE, 0, 0);
  return (int64_t)first;
}

void blocks_are_zero_and_apart(void)
{
  int64_t first = run(use_blocks).result;
  EXPECT(first != 0);
  prefers_new = 1;
  EXPECT(run(use_blocks).result == first); /* Each call begins with an empty arena. */
}

static int64_t free_and_alloc(struct sj_frame *frame, void *with)
{
  (void)with;
  void *p = sj_alloc(frame, SITE, 100);
  sj_free(frame, SITE, p, (uint64_t)p);
  return sj_alloc(frame, SITE, 120) == p;
}

void freed_blocks_wait_or_not(void)
{
  EXPECT(run(free_and_alloc).result == 1);
  prefers_new = 1;
  EXPECT(run(free_and_alloc).result == 0);
}

static int64_t use_up(struct sj_frame *frame, void *with)
{
  (void)with;
  void *first = sj_alloc(frame, SITE, 30 << 20);
  sj_alloc(frame, SITE, 30 << 20);
  sj_free(frame, SITE, first, (uint64_t)first);
  EXPECT(sj_alloc(frame, SITE, 29 << 20) == first); /* The rest is used up, so freed blocks serve. */
  sj_alloc(frame, SITE, 5 << 20);
  return 1;
}

static int64_t ask_too_much(struct sj_frame *frame, void *with)
{
  (void)with;
  sj_alloc(frame, SITE, SJ_ARENA_BYTES);
  return 1;
}

static int64_t multiply_too_much(struct sj_frame *frame, void *with)
{
  (void)with;
  EXPECT(sj_product(frame, SITE, 6, 7) == 42);
  return (int64_t)sj_product(frame, SITE, (uint64_t)1 << 33, (uint64_t)1 << 33);
}

void the_arena_ends(void)
{
  prefers_new = 1;
  struct outcome outcome = run(use_up);
  EXPECT(outcome.has_panicked && outcome.panic.site == SITE && outcome.panic.a == 5 << 20);
  outcome = run(ask_too_much);
  EXPECT(outcome.has_panicked && outcome.panic.a == SJ_ARENA_BYTES);
  outcome = run(multiply_too_much);
  EXPECT(outcome.has_panicked && outcome.panic.a == -1);
}

static int64_t free_twice(struct sj_frame *frame, void *with)
{
  (void)with;
  void *p = sj_alloc(frame, SITE, 8);
  sj_free(frame, SITE, p, (uint64_t)p);
  sj_free(frame, SITE, p, (uint64_t)p);
  return 1;
}

static int64_t free_inside(struct sj_frame *frame, void *with)
{
  (void)with;
  char *p = sj_alloc(frame, SITE, 8);
  sj_free(frame, SITE, p + 4, (uint64_t)p);
  return 1;
}

static int64_t free_local(struct sj_frame *frame, void *with)
{
  sj_free(frame, SITE, &with, (uint64_t)&with);
  return 1;
}

static int64_t use_freed(struct sj_frame *frame, void *with)
{
  (void)with;
  void *p = sj_alloc(frame, SITE, 8);
  EXPECT(sj_live(frame, SITE, p, (uint64_t)p) == p && sj_live(frame, SITE, &with, (uint64_t)&with) == &with);
  sj_free(frame, SITE, p, (uint64_t)p);
  return (int64_t)sj_live(frame, SITE, p, (uint64_t)p);
}

void wrong_frees_panic(void)
{
  struct outcome outcome = run(free_twice);
  EXPECT(outcome.has_panicked && outcome.panic.site == SITE && outcome.panic.a == 1);
  outcome = run(free_inside);
  EXPECT(outcome.has_panicked && outcome.panic.a == 0);
  outcome = run(free_local);
  EXPECT(outcome.has_panicked && outcome.panic.a == 0);
  EXPECT(run(use_freed).has_panicked);
}

static int64_t grow(struct sj_frame *frame, void *with)
{
  (void)with;
  char *p = sj_grown(frame, SITE, SITE + 1, 0, 0, 4);
  __builtin_memcpy(p, "abc", 4);
  char *q = sj_grown(frame, SITE, SITE + 1, p, (uint64_t)p, 4000);
  EXPECT(q != p && __builtin_memcmp(q, "abc", 4) == 0);
  for (int i = 4; i < 4000; i++)
    EXPECT(q[i] == 0); /* What lies behind `p` was not copied. */
  char *r = sj_grown(frame, SITE, SITE + 1, q, (uint64_t)q, 2);
  EXPECT(r != q && r[0] == 'a' && r[1] == 'b' && sj_size(r) == 2);
  sj_grown(frame, SITE, SITE + 1, p, (uint64_t)p, 8);
  return 1;
}

void realloc_keeps_content(void)
{
  prefers_new = 1;
  struct outcome outcome = run(grow); /* `p` was freed by the first realloc, which the last one notices. */
  EXPECT(outcome.has_panicked && outcome.panic.site == SITE + 1 && outcome.panic.a == 1);
}

static void *call_and_end(void *with)
{
  EXPECT(run(use_blocks).result != 0);
  *(void **)with = sj_current_thread()->arena;
  EXPECT(msync(*(void **)with, 4096, MS_ASYNC) == 0);
  return 0;
}

void an_arena_goes_with_its_thread(void)
{
  pthread_t thread;
  void *arena = 0;
  EXPECT(pthread_create(&thread, 0, call_and_end, &arena) == 0);
  EXPECT(pthread_join(thread, 0) == 0);
  EXPECT(arena != 0 && msync(arena, 4096, MS_ASYNC) != 0); /* Nothing is mapped there. */
}
