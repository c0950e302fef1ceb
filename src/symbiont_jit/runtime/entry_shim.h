#pragma once

/*
The work of an instrumented function's native entry around the call (checks.py: ENTRY_SHIM). The entry opens a frame
that panics come back to, and publishes it in the thread's slot, where an interruption finds it.

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
