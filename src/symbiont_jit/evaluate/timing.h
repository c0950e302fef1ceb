#pragma once

/* The clock of the measuring loop (timing.py generates the loop): CPU time of the thread, which others cannot use up.
 */

#include <stdint.h>

#define SJ_CLOCK_THREAD_CPUTIME_ID 3

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
