/* The arena of code without checks. */

#include "runtime/release_arena.h"
#include "driver.h"

/* As the entries of such code do (instrument/unit.py: released). */
static void begin_call(void)
{
  sj_current_thread()->is_open = 0;
}

void release_blocks_are_reused(void)
{
  begin_call();
  char *p = sj_malloc(100);
  sj_free(p);
  sj_free(0);
  EXPECT(sj_malloc(128) == p && sj_malloc(128) != p);
  char *zeros = sj_calloc(10, 10);
  EXPECT(zeros[0] == 0 && zeros[99] == 0);
  __builtin_memcpy(zeros, "abc", 4);
  char *grown = sj_realloc(zeros, 5000);
  EXPECT(grown != zeros && __builtin_memcmp(grown, "abc", 4) == 0);
  char *long_one = sj_malloc(1 << 20), *longer = sj_malloc(2 << 20);
  sj_free(longer);
  sj_free(long_one);
  EXPECT(sj_malloc((2 << 20) - 100) == longer && sj_malloc(1 << 20) == long_one);
  begin_call();
  EXPECT(sj_malloc(100) == p);
}

void release_gives_null_at_the_end(void)
{
  begin_call();
  EXPECT(sj_malloc(SJ_ARENA_BYTES) == 0 && sj_malloc(UINT64_MAX) == 0);
  EXPECT(sj_calloc((uint64_t)1 << 33, (uint64_t)1 << 33) == 0);
  char *p = sj_malloc(40 << 20);
  EXPECT(p != 0 && sj_malloc(40 << 20) == 0 && sj_realloc(p, 40 << 20) == 0);
  p[(40 << 20) - 1] = 1;
  begin_call();
  EXPECT(sj_malloc(40 << 20) == p && p[(40 << 20) - 1] == 0); /* The system has it back, and gave new pages. */
}
