"""What guarded code, panics and interruptions share in C: a call's frame, a panic's record, a thread's place.

In: nothing. Out: text that declares them. Every thread that calls guarded code has a place, which is found by its
thread pointer: where an interruption finds the call, how far down the thread's stack goes, and its arena.
"""

from __future__ import annotations

from typing import Final

__all__ = ["OWN_PLACE", "PLACE", "PLACES", "PLACE_WORDS", "RECORDS"]

#: Threads that can be in guarded calls at a time and be interrupted, and panics that wait to be taken.
PLACES: Final = 4096
RECORDS: Final = 64
PLACE_WORDS: Final = 6

PLACE: Final = f"""
#define sj_check static inline __attribute__((always_inline, unused))
struct sj_frame
{{
  void *jump[5];
  int64_t site, a, b, fuel, used;
  const char *floor, *stack;
  struct sj_arena *arena;
}};
struct sj_record {{ int64_t thread, number, version, site, a, b; }};
struct sj_place
{{
  int64_t thread;
  struct sj_frame *frame;
  void *panics;
  const char *floor;
  struct sj_arena *arena;
  int64_t is_open;
}};
extern struct sj_place sj_places[];
sj_check int64_t sj_me(void)
{{
  return (int64_t)__builtin_thread_pointer();
}}
sj_check struct sj_place *sj_nth(int64_t me, uint64_t i)
{{
  uint64_t first = ((uint64_t)me >> 6) ^ ((uint64_t)me >> 12);
  return sj_places + 1 + ((first + i) & {PLACES - 1});
}}
"""

#: The place that a thread has; null where it has none.
OWN_PLACE: Final = f"""
static struct sj_place *sj_own(int64_t me)
{{
  for (uint64_t i = 0; i < {PLACES} && sj_nth(me, i)->thread; i++)
    if (sj_nth(me, i)->thread == me)
      return sj_nth(me, i);
  return 0;
}}
"""
