#pragma once

/* Every thread that calls instrumented code has a slot, which it finds by its thread pointer. */

#include "runtime/frame.h"

/* `thread` is the thread pointer of the owner: 0 where nobody ever was, -1 where the owner has ended. A later thread
may have the same pointer, so panics are kept under `number`, which no two owners share. */
struct sj_thread
{
  int64_t thread;
  struct sj_frame *frame;        /* the instrumented call that the thread is inside */
  struct sj_panic_table *panics; /* the table of the kernel that was called last */
  int64_t last;                  /* the identity of the table of the owner's last panic; 0 before the first */
  int64_t panicked;              /* the number of that panic in that table */
  const char *floor;             /* the lowest address of the thread's stack that a call may use */
  struct sj_arena *arena;        /* null until a call of the thread first allocates */
  int64_t is_open;               /* whether the release call under way has emptied the arena */
  int64_t number;                /* the owner's; in slot 0, the last one that was given */
  void *signal_stack;            /* null where the owner had a stack for signals before */
  int64_t id;                    /* the owner's number in the system */
  struct sj_panic_table *wanted; /* the table of the kernel whose call shall end at the next signal; null for none */
};

/* Slot 0 is shared by the threads that found all others taken. */
extern struct sj_thread sj_threads[];
extern struct sj_thread *sj_enlist(void);

SJ_INLINE int64_t sj_thread_id(void)
{
  return (int64_t)__builtin_thread_pointer();
}

/* Return the slot that is tried as number `i` for a thread. */
SJ_INLINE struct sj_thread *sj_probe(int64_t me, uint64_t i)
{
  uint64_t first = ((uint64_t)me >> 6) ^ ((uint64_t)me >> 12);
  return sj_threads + 1 + ((first + i) & (SJ_THREADS - 1));
}

SJ_INLINE int64_t sj_owner(const struct sj_thread *slot)
{
  return __atomic_load_n(&slot->thread, __ATOMIC_RELAXED);
}

/* Return the slot of this thread, which gets one at its first call. */
SJ_INLINE struct sj_thread *sj_current_thread(void)
{
  int64_t me = sj_thread_id();
  struct sj_thread *first = sj_probe(me, 0);
  return __builtin_expect(sj_owner(first) == me, 1) ? first : sj_enlist();
}

/* Find the slot of a thread; null where it has none. Slots behind one that was never used are not in use either. */
SJ_INLINE struct sj_thread *sj_find_thread(int64_t me)
{
  for (uint64_t i = 0; i < SJ_THREADS && sj_owner(sj_probe(me, i)); i++)
    if (sj_owner(sj_probe(me, i)) == me)
      return sj_probe(me, i);
  return 0;
}
