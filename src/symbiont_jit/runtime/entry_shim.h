#pragma once

/*
The work of an instrumented function's native entry around the call (instrument/unit.py generates it). The entry
opens a frame that panics come back to, and publishes it in the thread's slot, where an interruption finds it.

SJ_FRAME is the largest frame of a function that does not check the stack; the command line of the compiler defines it.
*/

#include "runtime/checks.h"

extern void sj_report_panic(struct sj_frame *, struct sj_panic_table *, int64_t);

/* Fill the frame of a call that may use `stack` bytes of the stack. */
SJ_INLINE void sj_open_call(struct sj_frame *frame, const struct sj_thread *thread, int64_t stack)
{
  frame->stack = (const char *)__builtin_frame_address(0);
  /* Leaf functions do not check the stack; leave room for one unchecked frame. */
  const char *const end = thread->floor + 2 * SJ_FRAME;
  frame->floor = frame->stack - stack > end ? frame->stack - stack : end;
  frame->used = 0;
  frame->arena = 0;
  frame->fuel = sj_panics.head.fuel;
}

SJ_INLINE void sj_begin_call(struct sj_frame *frame, struct sj_thread *thread)
{
  thread->panics = &sj_panics;
  thread->frame = frame;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (SJ_UNLIKELY((uint64_t)frame->stack - SJ_FRAME < (uint64_t)frame->floor))
    sj_panic(frame, SJ_NO_ROOM, frame->stack - frame->floor, 0);
}

SJ_INLINE void sj_end_call(struct sj_thread *thread, struct sj_frame *outer)
{
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  thread->frame = outer;
}

/* Leave the call and report the panic; a panic jumps here. */
SJ_INLINE void sj_abandon_call(struct sj_frame *frame, struct sj_thread *thread, struct sj_frame *outer)
{
  thread->frame = outer;
  sj_report_panic(frame, &sj_panics, (int64_t)sj_revision);
}

/* Declare what the entry keeps, and open the call. `longjmp` does not restore registers: whatever is read after a panic
must be volatile. */
#define SJ_OPEN_CALL(stack)                                                                                            \
  struct sj_thread *volatile sj_here = sj_current_thread();                                                            \
  struct sj_frame *volatile sj_outer = sj_here->frame;                                                                 \
  struct sj_frame sj_f;                                                                                                \
  sj_open_call(&sj_f, sj_here, stack)

/* Begin the call; a panic comes back here, is reported, and the entry does `leave` instead of the rest. */
#define SJ_BEGIN_CALL(leave)                                                                                           \
  if (SJ_UNLIKELY(__builtin_setjmp(sj_f.jump)))                                                                        \
  {                                                                                                                    \
    sj_abandon_call(&sj_f, sj_here, sj_outer);                                                                         \
    leave;                                                                                                             \
  }                                                                                                                    \
  sj_begin_call(&sj_f, sj_here)

#define SJ_END_CALL() sj_end_call(sj_here, sj_outer)
