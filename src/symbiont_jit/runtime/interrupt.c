/*
The handler of the signal that ends instrumented calls. Where its thread is inside one, the handler jumps back to the
entry shim.

A timer ends whatever call its thread is inside; a signal that somebody sends, only a call of the kernel that is wanted.

Where the thread is inside of another handler, which came on top of the call, that one shall do its work: the system
keeps its signal blocked until it returns. Then nothing is done, and whoever interrupts sends the signal again.
*/

#include "runtime/signals.h"

extern void sj_interrupt(int, struct sj_signal *, struct sj_context *);

void sj_interrupt(int number, struct sj_signal *signal, struct sj_context *context)
{
  (void)number;
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  if (!slot || !slot->frame || !sj_is_of_call(slot, context))
    return;
  struct sj_panic_table *wanted = __atomic_load_n(&slot->wanted, __ATOMIC_RELAXED);
  if (signal->code != SJ_SI_TIMER && wanted != slot->panics)
    return;
  __atomic_store_n(&slot->wanted, 0, __ATOMIC_RELAXED);
  sj_leave_call(slot, SJ_INTERRUPTED, context);
}
