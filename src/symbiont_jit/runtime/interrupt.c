/* The handler of the signal that ends instrumented calls. Where its thread is inside one, the handler jumps back to the
   entry shim. */

#include "runtime/signals.h"

extern void sj_interrupt(int, struct sj_signal *, struct sj_context *);

void sj_interrupt(int number, struct sj_signal *signal, struct sj_context *context)
{
  (void)number;
  (void)signal;
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  if (slot && slot->frame)
    sj_leave_call(slot, SJ_INTERRUPTED, context);
}
