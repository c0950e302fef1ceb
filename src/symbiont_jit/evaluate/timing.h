#pragma once

/*
What the measuring loop is made of (harness.py generates the loop): the clock, which is CPU time of the thread, that
others cannot use up; what calls may change, which is put back between them; the stack below them, which is wiped; the
processor's caches, which are emptied for calls that are to find nothing in them.
*/

#include <stdint.h>

#define SJ_CLOCK_THREAD_CPUTIME_ID 3
#define SJ_WIPED_STACK 16384
#define SJ_CLOCK_READINGS 64

/* POSIX's `struct timespec` on a 64-bit system, under a name of our own. */
struct sj_timespec
{
  int64_t tv_sec, tv_nsec;
};

extern int clock_gettime(int, struct sj_timespec *);

static inline struct sj_timespec sj_cpu_time(void)
{
  struct sj_timespec now;
  clock_gettime(SJ_CLOCK_THREAD_CPUTIME_ID, &now);
  return now;
}

static inline int64_t sj_nanoseconds(struct sj_timespec start, struct sj_timespec end)
{
  return (end.tv_sec - start.tv_sec) * 1000000000 + (end.tv_nsec - start.tv_nsec);
}

/* Return the nanoseconds that two readings of the clock are apart with nothing between them. */
static inline int64_t sj_read_clock_twice(void)
{
  int64_t least = INT64_MAX;
  for (int i = 0; i < SJ_CLOCK_READINGS; i++)
  {
    const struct sj_timespec start = sj_cpu_time();
    const int64_t cost = sj_nanoseconds(start, sj_cpu_time());
    least = cost < least ? cost : least;
  }
  return least;
}

/* What a call may change of its arguments: `size` bytes at `at`, which begin as those at `given`. */
struct sj_changing
{
  char *at;
  const char *given;
  int64_t size;
};

static inline void sj_put_back(const struct sj_changing *changing, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    if (changing[i].size > 0)
      __builtin_memcpy(changing[i].at, changing[i].given, (uint64_t)changing[i].size);
}

static __attribute__((noinline, unused)) void sj_wipe_stack(void)
{
  char below[SJ_WIPED_STACK];
  __builtin_memset(below, 0xa5, sizeof(below));
  __asm__ volatile("" : : "r"(below) : "memory");
}

#define SJ_CACHE_LINE 64

/* Take memory out of all caches of the processor, where it has an instruction for that (timing.py: CAN_EVICT). */
static inline void sj_evict(const char *memory, int64_t size)
{
#ifdef __x86_64__
  for (int64_t i = 0; i < size; i += SJ_CACHE_LINE)
    __builtin_ia32_clflush(memory + i);
  if (size > 0)
    __builtin_ia32_mfence();
#else
  (void)memory, (void)size;
#endif
}
