/* In the child of a fork lives one thread, whatever the table says. */

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"

#define THREADS 4

static pthread_barrier_t all_have_slots, may_end;

static int64_t give_five(struct sj_frame *frame, void *with)
{
  (void)frame, (void)with;
  return 5;
}

static int64_t wait_inside(struct sj_frame *frame, void *with)
{
  *(struct sj_thread **)with = sj_current_thread();
  EXPECT(sj_current_thread()->frame == frame);
  pthread_barrier_wait(&all_have_slots);
  pthread_barrier_wait(&may_end);
  return 1;
}

static void *call_and_wait(void *with)
{
  EXPECT(attempt(wait_inside, with).result == 1);
  return 0;
}

static int live_in_child(struct sj_thread *mine, struct sj_thread **others)
{
  sj_forked();
  EXPECT(mine->thread == sj_thread_id());
  EXPECT(sj_current_thread() == mine && attempt(give_five, 0).result == 5);
  for (int i = 0; i < THREADS; i++)
    EXPECT(others[i]->thread == -1 && others[i]->frame == 0 && others[i]->arena == 0);
  return 0;
}

void a_child_forgets_other_threads(void)
{
  pthread_t threads[THREADS];
  struct sj_thread *mine = sj_current_thread(), *others[THREADS];
  pthread_barrier_init(&all_have_slots, 0, THREADS + 1);
  pthread_barrier_init(&may_end, 0, THREADS + 1);
  for (int i = 0; i < THREADS; i++)
    EXPECT(pthread_create(&threads[i], 0, call_and_wait, &others[i]) == 0);
  pthread_barrier_wait(&all_have_slots);
  int status = 1;
  pid_t child = fork();
  if (child == 0)
    _exit(live_in_child(mine, others));
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  for (int i = 0; i < THREADS; i++)
    EXPECT(others[i]->thread > 0 && others[i]->frame != 0); /* In the parent they live on. */
  pthread_barrier_wait(&may_end);
  for (int i = 0; i < THREADS; i++)
    EXPECT(pthread_join(threads[i], 0) == 0);
}
