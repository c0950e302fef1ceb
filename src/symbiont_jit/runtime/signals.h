#pragma once

/*
What a handler of a signal is given on 64-bit Linux, and how it ends an instrumented call. The system's structures are
declared by hand, because the compiler that serves kernels runs without system headers; tests/runtime/test_layout.py
asserts each of them against the headers of the machine.
*/

#include "runtime/code_ranges.h"
#include "runtime/thread_slots.h"

#define SJ_SA_SIGINFO 4
#define SJ_SI_TIMER (-2)
#define SJ_SIG_DFL 0
#define SJ_SIG_IGN 1

/* glibc's `struct sigaction`. */
struct sj_action
{
  uint64_t sa_handler, sa_mask[16];
  int sa_flags;
  void *sa_restorer;
};

/* The beginning of `siginfo_t`; a code above 0 says that nobody sent the signal. */
struct sj_signal
{
  int number, error, code;
  uint64_t address;
};

/* The floating-point state, of which the caller may have set how it rounds, and whether small numbers are zero; in what
   is zero here, all registers are empty. */
struct sj_floating
{
  uint16_t control;
  char between[22];
  uint32_t vectors;
  char behind[484];
} __attribute__((aligned(16)));

/* The parts of `ucontext_t` of x86-64 that are wanted: the stack pointer, the program counter. */
struct sj_context
{
  char before[160];
  uint64_t stack, counter;
  char between[48];
  struct sj_floating *floating;
};

/* Whether the processor was in the code of the call, in a function that this called last and that keeps nothing on the
   stack, as memcpy, or nowhere, because the code jumped there. */
SJ_INLINE int sj_is_of_call(const struct sj_thread *slot, const struct sj_context *context)
{
#ifndef __x86_64__
  return 1; /* Nothing is known of the context. */
#endif
  if (sj_is_code(context->counter))
    return 1;
  uint64_t low = (uint64_t)slot->floor, high = (uint64_t)slot->frame->stack;
  return low && context->stack >= low && context->stack < high && sj_is_code(*(const uint64_t *)context->stack);
}

/* End the instrumented call that the thread is inside of. The system began the handler with a floating-point state of
   its own, so that of the call is put back. */
__attribute__((noreturn, unused)) static void sj_leave_call(struct sj_thread *slot, int64_t site,
                                                            const struct sj_context *context)
{
  struct sj_frame *frame = slot->frame;
#ifdef __x86_64__
  if (context->floating)
  {
    struct sj_floating state = {.control = context->floating->control, .vectors = context->floating->vectors};
    __builtin_ia32_fxrstor(&state);
  }
#else
  (void)context;
#endif
  slot->frame = 0;
  frame->site = site;
  __builtin_longjmp(frame->jump, 1);
}
