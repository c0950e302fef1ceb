#pragma once

/* What the C tests of the runtime share: expectations, the list of tests, and instrumented calls with any body. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/thread_slots.h"

/* Each test is a function that ends the process where something is not as it has to be. */
#define TESTS(T)                                                                                                       \
  T(checks_pass_and_panic)                                                                                             \
  T(loops_end)                                                                                                         \
  T(recursion_ends)                                                                                                    \
  T(a_small_stack_ends_earlier)                                                                                        \
  T(local_arrays_are_counted)                                                                                          \
  T(calls_nest)                                                                                                        \
  T(a_thread_keeps_its_slot)                                                                                           \
  T(slots_are_given_back)                                                                                              \
  T(contested_slots_are_given_once)                                                                                    \
  T(slots_behind_a_taken_one_are_found)                                                                                \
  T(threads_without_a_slot_panic)                                                                                      \
  T(the_newest_panic_of_a_version_stays)                                                                               \
  T(the_oldest_panic_is_replaced)                                                                                      \
  T(a_report_that_was_cut_off_is_no_loss)                                                                              \
  T(no_thread_takes_what_an_ended_one_has_left)                                                                        \
  T(many_threads_report_and_take)                                                                                      \
  T(where_there_is_room_no_report_is_lost)                                                                             \
  T(blocks_are_zero_and_apart)                                                                                         \
  T(freed_blocks_wait_or_not)                                                                                          \
  T(the_arena_ends)                                                                                                    \
  T(wrong_frees_panic)                                                                                                 \
  T(realloc_keeps_content)                                                                                             \
  T(an_arena_goes_with_its_thread)                                                                                     \
  T(release_blocks_are_reused)                                                                                         \
  T(release_gives_null_at_the_end)                                                                                     \
  T(a_child_forgets_other_threads)                                                                                     \
  T(a_signal_ends_a_call)                                                                                              \
  T(a_fault_ends_a_call)                                                                                               \
  T(a_fault_elsewhere_is_passed_on)                                                                                    \
  T(threads_have_a_stack_for_signals)

#define DECLARE(name) void name(void);
TESTS(DECLARE)

#define EXPECT(condition)                                                                                              \
  do                                                                                                                   \
    if (!(condition))                                                                                                  \
    {                                                                                                                  \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                          \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  while (0)

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* What an instrumented call does. */
typedef int64_t body(struct sj_frame *, void *);

/* The entry shim around a body; test_runtime_c.py generates it as instrument/unit.py does those of kernels. */
int64_t call_instrumented(body *, void *);

extern int64_t sj_take_panic(struct sj_panic_table *, int64_t, int64_t, struct sj_panic_record *);
extern void sj_report_panic(struct sj_frame *, struct sj_panic_table *, int64_t);
extern void sj_forked(void);
extern void sj_interrupt(int, void *, void *);
extern void sj_fault(int, void *, void *);

/* What became of an instrumented call; `panic` is of this thread and was taken. */
struct outcome
{
  int64_t result;
  int64_t has_panicked;
  struct sj_panic_record panic;
};

static inline struct outcome attempt(body *body, void *with)
{
  struct outcome outcome = {0};
  outcome.result = call_instrumented(body, with);
  outcome.has_panicked = sj_take_panic(&sj_panics, SJ_ANY_REVISION, 0, &outcome.panic);
  return outcome;
}
