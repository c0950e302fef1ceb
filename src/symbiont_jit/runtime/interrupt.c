/*
The handler of the signal that ends instrumented calls. Where its thread is inside one, the handler jumps back to the
entry shim.

Where the thread is inside of another handler, which came on top of the call, that one shall do its work: the system
keeps its signal blocked until it returns. Then nothing is done, and whoever interrupts sends the signal again.
*/

#include "runtime/signals.h"

extern void sj_interrupt(int, struct sj_signal *, struct sj_context *);

void sj_interrupt(int number, struct sj_signal *signal, struct sj_context *context)
{
  (void)number;
  (void)signal;
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  if (slot && slot->frame && sj_is_of_call(slot, context))
    sj_leave_call(slot, SJ_INTERRUPTED, context);
}
