/*
The handler of the signals by which the processor refuses an instruction: SIGILL, SIGSEGV, SIGBUS and SIGFPE. Where that
was an instruction of an instrumented call, the call panics. Everything else goes to the handler that was there before.

The checks of instrumented code make sure that this never happens, so it is the net below them. It also holds what no
check can see: a file that was mapped to memory and has become shorter.
*/

#include "runtime/signals.h"
#include "runtime/system.h"
#include "runtime/thread_slots.h"

/* What was to be done at a signal before, by its number. */
extern struct sj_action sj_previous[SJ_SIGNALS];
extern int64_t sj_is_catching;
extern void sj_fault(int, struct sj_signal *, struct sj_context *);

static void sj_pass_on(int number, struct sj_signal *signal, struct sj_context *context)
{
  const struct sj_action *before = &sj_previous[number];
  int is_sent = signal->code <= 0;
  if (before->sa_flags & SJ_SA_SIGINFO)
    ((void (*)(int, void *, void *))before->sa_handler)(number, signal, context);
  else if (before->sa_handler == SJ_SIG_IGN && is_sent)
    return;
  else if (before->sa_handler != SJ_SIG_DFL && before->sa_handler != SJ_SIG_IGN)
    ((void (*)(int))before->sa_handler)(number);
  else
  {
    /* The default ends the process: the instruction is refused again, or the signal is sent again. */
    const struct sj_action otherwise = {.sa_handler = SJ_SIG_DFL};
    sigaction(number, &otherwise, 0);
    if (is_sent)
      raise(number);
  }
}

void sj_fault(int number, struct sj_signal *signal, struct sj_context *context)
{
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  struct sj_frame *frame = slot ? slot->frame : 0;
  if (!frame || !sj_is_catching || signal->code <= 0 || !sj_is_of_call(slot, context))
  {
    sj_pass_on(number, signal, context);
    return;
  }
  frame->a = number;
  frame->b = (int64_t)signal->address;
  sj_leave_call(slot, SJ_FAULT, context);
}
