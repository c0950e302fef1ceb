#pragma once

/* The frame of an instrumented call, and the table in which calls leave their panics. */

#include <stdint.h>

#include "runtime/limits.h"

#define SJ_INLINE static inline __attribute__((always_inline, unused))
#define SJ_UNLIKELY(condition) __builtin_expect(condition, 0)

/* The frame of a call says where a panic jumps to, what it reports, and what the call may still use. */
struct sj_frame
{
  void *jump[5];
  int64_t site, a, b;        /* the site and two values of the panic */
  int64_t fuel;              /* steps of loops that the call may still make */
  int64_t used;              /* bytes of local arrays whose length was computed */
  const char *floor, *stack; /* the lowest address that the call may use, and where it began */
  struct sj_arena *arena;    /* null until the call allocates */
};

/* The head of a table says how many panics there were, and the fuel of each call. No other table of the process ever
has the same `identity`, while one may get another's address. Where calls fall back, `fallback` is the `struct
sj_fallback` of the revision that was activated last. */
struct sj_panic_head
{
  int64_t count, fuel, identity;
  void *fallback;
};

/* One panic. `thread` is the owner: 0 where the record is free, negative while the owner writes or takes it. */
struct sj_panic_record
{
  int64_t thread, number, revision, site, a, b;
};

struct sj_panic_table
{
  struct sj_panic_head head;
  struct sj_panic_record records[SJ_RECORDS];
};

extern struct sj_panic_table sj_panics;
extern char sj_revision[];
