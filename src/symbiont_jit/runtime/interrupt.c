/* The handler of the signal that ends instrumented calls. Where its thread is inside one, the handler jumps back to the
   entry shim. */

#include "runtime/thread_slots.h"

extern void sj_interrupt(int);

void sj_interrupt(int number)
{
  (void)number;
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  struct sj_frame *frame = slot ? slot->frame : 0;
  if (!frame)
    return;
  slot->frame = 0;
  frame->site = SJ_INTERRUPTED;
  __builtin_longjmp(frame->jump, 1);
}
