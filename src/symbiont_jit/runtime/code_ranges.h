#pragma once

/* Where machine code of candidates lies in this process, and the mathematical library. Python writes the table. */

#include "runtime/frame.h"

/* A range of addresses; free where `end` is 0. */
struct sj_code_range
{
  uint64_t start, end;
};

struct sj_code_ranges
{
  struct sj_code_range ranges[SJ_CODE_RANGES];
};

extern struct sj_code_ranges sj_code;

SJ_INLINE int sj_is_code(uint64_t address)
{
  for (int i = 0; i < SJ_CODE_RANGES; i++)
  {
    uint64_t end = __atomic_load_n(&sj_code.ranges[i].end, __ATOMIC_ACQUIRE);
    if (address < end && address >= sj_code.ranges[i].start)
      return 1;
  }
  return 0;
}
