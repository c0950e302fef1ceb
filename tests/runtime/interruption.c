/* A signal ends the instrumented call that its thread is inside, and nothing else. */

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "driver.h"

static _Atomic int is_inside;

static int64_t loop_for_ever(struct sj_frame *frame, void *with)
{
  (void)frame, (void)with;
  is_inside = 1;
  while (is_inside)
    ;
  return 1;
}

static void *call(void *with)
{
  *(struct outcome *)with = attempt(loop_for_ever, 0);
  return 0;
}

void a_signal_ends_a_call(void)
{
  pthread_t thread;
  struct outcome outcome = {0};
  struct sigaction action = {.sa_handler = sj_interrupt, .sa_flags = SA_NODEFER | SA_RESTART};
  EXPECT(sigaction(SIGUSR1, &action, 0) == 0);
  EXPECT(raise(SIGUSR1) == 0); /* This thread is in no call, nor has it a slot. */
  EXPECT(pthread_create(&thread, 0, call, &outcome) == 0);
  while (!is_inside)
    usleep(1000);
  EXPECT(pthread_kill(thread, SIGUSR1) == 0 && pthread_join(thread, 0) == 0);
  EXPECT(outcome.has_panicked && outcome.result == 0 && outcome.panic.site == SJ_INTERRUPTED);
}
