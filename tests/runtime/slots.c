/* Threads are given slots, find them again, and give them back. */

#include <pthread.h>

#include "driver.h"
#include "runtime/arena.h"

#define THREADS 16
#define WAVES 8

static int64_t note_slot(struct sj_frame *frame, void *with)
{
  EXPECT(sj_current_thread()->frame == frame);
  *(struct sj_thread **)with = sj_current_thread();
  return 1;
}

void a_thread_keeps_its_slot(void)
{
  struct sj_thread *first = 0, *second = 0;
  EXPECT(attempt(note_slot, &first).result == 1 && attempt(note_slot, &second).result == 1);
  EXPECT(first == second && first > sj_threads && first->thread == sj_thread_id());
  EXPECT(sj_find_thread(sj_thread_id()) == first && sj_find_thread(sj_thread_id() + 64) == 0);
  EXPECT((const char *)&first > first->floor && first->frame == 0);
}

static pthread_barrier_t together;
static int calls = 1000;

static void *call_often(void *with)
{
  struct sj_thread *mine = 0, *again = 0;
  pthread_barrier_wait(&together);
  EXPECT(attempt(note_slot, &mine).result == 1);
  pthread_barrier_wait(&together); /* From here on, all threads of the wave have a slot. */
  for (int i = 0; i < calls; i++)
    EXPECT(attempt(note_slot, &again).result == 1 && again == mine);
  *(struct sj_thread **)with = mine;
  return 0;
}

static void run_wave(struct sj_thread **slots)
{
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    EXPECT(pthread_create(&threads[i], 0, call_often, &slots[i]) == 0);
  for (int i = 0; i < THREADS; i++)
    EXPECT(pthread_join(threads[i], 0) == 0);
}

static void expect_apart(struct sj_thread **slots)
{
  for (int i = 0; i < THREADS; i++)
  {
    EXPECT(slots[i] > sj_threads);
    for (int j = 0; j < i; j++)
      EXPECT(slots[i] != slots[j]);
  }
}

void slots_are_given_back(void)
{
  pthread_barrier_init(&together, 0, THREADS);
  for (int wave = 0; wave < WAVES; wave++)
  {
    struct sj_thread *slots[THREADS];
    run_wave(slots);
    for (int i = 0; i < THREADS; i++)
      EXPECT(slots[i]->thread == -1 && slots[i]->frame == 0 && slots[i]->arena == 0);
    expect_apart(slots);
  }
}

/* As many slots are free as threads want one. */
void contested_slots_are_given_once(void)
{
  struct sj_thread *slots[THREADS];
  for (int i = THREADS + 1; i <= SJ_THREADS; i++)
    sj_threads[i].thread = 1;
  pthread_barrier_init(&together, 0, THREADS);
  calls = 1;
  for (int wave = 0; wave < 4 * WAVES; wave++)
  {
    run_wave(slots);
    for (int i = 0; i < THREADS; i++)
      EXPECT(slots[i] <= sj_threads + THREADS);
    expect_apart(slots);
  }
}

void slots_behind_a_taken_one_are_found(void)
{
  int64_t me = sj_thread_id();
  sj_probe(me, 0)->thread = 1; /* Another thread's. */
  struct sj_thread *slot = sj_current_thread();
  EXPECT(slot == sj_probe(me, 1) && slot->thread == me);
  sj_probe(me, 0)->thread = -1; /* That thread has ended. */
  EXPECT(sj_current_thread() == slot && sj_find_thread(me) == slot);
  EXPECT(sj_find_thread(me + (1 << 30)) == 0);
}

void threads_without_a_slot_panic(void)
{
  for (int i = 1; i <= SJ_THREADS; i++)
    sj_threads[i].thread = 1;
  struct sj_thread *slot = 0;
  struct outcome outcome = attempt(note_slot, &slot);
  EXPECT(slot == 0 && outcome.result == 0);
  EXPECT(outcome.has_panicked && outcome.panic.site == SJ_NO_ROOM);
  EXPECT(sj_current_thread() == sj_threads && sj_open_arena() == 0);
  sj_threads[SJ_THREADS / 2].thread = -1;
  EXPECT(attempt(note_slot, &slot).result == 1 && slot == &sj_threads[SJ_THREADS / 2]);
}
