/* A signal ends the instrumented call that its thread is inside, and nothing else. */

#define _GNU_SOURCE

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "driver.h"
#include "runtime/code_ranges.h"

typedef void handler(int, siginfo_t *, void *);

extern struct sigaction sj_previous[];
extern int64_t sj_is_catching;

static _Atomic int is_inside;
static struct sj_thread *_Atomic called;

static int64_t loop_for_ever(struct sj_frame *frame, void *with)
{
  (void)frame, (void)with;
  called = sj_current_thread();
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
  struct sigaction action = {.sa_sigaction = (handler *)sj_interrupt, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
  EXPECT(sigaction(SIGUSR1, &action, 0) == 0);
  EXPECT(raise(SIGUSR1) == 0);   /* This thread is in no call, nor has it a slot. */
  sj_code.ranges[3].end = ~0ULL; /* Everything is code. */
  EXPECT(pthread_create(&thread, 0, call, &outcome) == 0);
  while (!is_inside)
    usleep(1000);
  EXPECT(pthread_kill(thread, SIGUSR1) == 0); /* No call is wanted. */
  usleep(20000);
  __atomic_store_n(&called->wanted, &sj_panics, __ATOMIC_SEQ_CST);
  EXPECT(pthread_kill(thread, SIGUSR1) == 0 && pthread_join(thread, 0) == 0);
  EXPECT(outcome.has_panicked && outcome.result == 0 && outcome.panic.site == SJ_INTERRUPTED);
}

static int64_t fault(struct sj_frame *frame, void *with)
{
  (void)frame;
  *(volatile int *)with = 1;
  return 1;
}

static void catch(int number)
{
  struct sigaction action = {.sa_sigaction = (handler *)sj_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  EXPECT(sigaction(number, &action, 0) == 0);
}

static void *page_without_access(void)
{
  void *page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT(page != MAP_FAILED);
  return page;
}

/* ThreadSanitizer wraps handlers, and does not see that one was left by a jump. */
#ifdef __SANITIZE_THREAD__
#define TIMES 1
#else
#define TIMES 3
#endif

void a_fault_ends_a_call(void)
{
  void *page = page_without_access();
  sj_code.ranges[3].end = ~0ULL; /* Everything is code. */
  catch(SIGSEGV);
  for (int i = 0; i < TIMES; i++)
  {
    struct outcome outcome = attempt(fault, page);
    EXPECT(outcome.has_panicked && outcome.result == 0 && outcome.panic.site == SJ_FAULT);
    EXPECT(outcome.panic.a == SIGSEGV && outcome.panic.b == (int64_t)page);
  }
}

static volatile sig_atomic_t passed_on;
static void *page;

static void note(int number)
{
  passed_on = number;
  mprotect(page, 4096, PROT_READ | PROT_WRITE); /* The instruction is tried again. */
}

void a_fault_elsewhere_is_passed_on(void)
{
  page = page_without_access();
  sj_previous[SIGSEGV].sa_handler = note;
  catch(SIGSEGV);
  EXPECT(attempt(fault, page).result == 1 && passed_on == SIGSEGV); /* There is no code. */
  sj_code.ranges[3].end = ~0ULL;
  for (sj_is_catching = 0; sj_is_catching < 2; sj_is_catching++)
  {
    passed_on = 0;
    EXPECT(mprotect(page, 4096, PROT_NONE) == 0);
    if (!sj_is_catching)
      EXPECT(attempt(fault, page).result == 1);
    else
      *(volatile int *)page = 1; /* There is no call. */
    EXPECT(passed_on == SIGSEGV);
  }
  passed_on = 0;
  EXPECT(raise(SIGSEGV) == 0 && passed_on == SIGSEGV);
}

static int64_t nothing(struct sj_frame *frame, void *with)
{
  (void)frame, (void)with;
  return 1;
}

static void *look_at_signal_stack(void *with)
{
  stack_t before = {0}, after = {0};
  EXPECT(sigaltstack(0, &before) == 0 && attempt(nothing, 0).result == 1 && sigaltstack(0, &after) == 0);
  struct sj_thread *slot = sj_current_thread();
  if (before.ss_flags & SS_DISABLE)
    EXPECT(after.ss_sp == slot->signal_stack && after.ss_size == SJ_SIGNAL_STACK && after.ss_flags == 0);
  else
    EXPECT(after.ss_sp == before.ss_sp && slot->signal_stack == 0);
  *(void **)with = slot->signal_stack;
  return slot;
}

void threads_have_a_stack_for_signals(void)
{
  for (int i = 0; i < 3; i++)
  {
    pthread_t thread;
    void *stack = 0, *slot = 0;
    EXPECT(pthread_create(&thread, 0, look_at_signal_stack, &stack) == 0 && pthread_join(thread, &slot) == 0);
    EXPECT(((struct sj_thread *)slot)->signal_stack == 0);
  }
}
