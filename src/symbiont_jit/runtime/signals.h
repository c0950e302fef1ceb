#pragma once

/*
What a handler of a signal is given on 64-bit Linux, and how it ends an instrumented call. The system's structures are
declared by hand, because the compiler that serves kernels runs without system headers; tests/runtime/test_layout.py
asserts each of them against the headers of the machine.
*/

#include "runtime/thread_slots.h"

#define SJ_SA_SIGINFO 4
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

/* The part of the floating-point state that the caller may have set: how it rounds, and whether small numbers are zero.
 */
struct sj_floating
{
  char before[24];
  uint32_t vectors;
};

/* The parts of `ucontext_t` of x86-64 that are wanted: the stack pointer, the program counter. */
struct sj_context
{
  char before[160];
  uint64_t stack, counter;
  char between[48];
  struct sj_floating *floating;
};

/* End the instrumented call that the thread is inside of. The system began the handler with a floating-point state of
   its own, so that of the call is put back. */
__attribute__((noreturn, unused)) static void sj_leave_call(struct sj_thread *slot, int64_t site,
                                                            const struct sj_context *context)
{
  struct sj_frame *frame = slot->frame;
#ifdef __x86_64__
  if (context->floating)
    __builtin_ia32_ldmxcsr(context->floating->vectors);
#else
  (void)context;
#endif
  slot->frame = 0;
  frame->site = site;
  __builtin_longjmp(frame->jump, 1);
}
