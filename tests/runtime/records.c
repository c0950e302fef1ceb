/* Panics wait in a table until their thread takes them. */

#include <pthread.h>

#include "driver.h"

#define THREADS 8
#define ROUNDS 2000

static struct sj_panic_table table;

static void report(int64_t revision, int64_t site)
{
  sj_current_thread();
  struct sj_frame frame = {.site = site, .a = site + 1, .b = site + 2};
  sj_report_panic(&frame, &table, revision);
}

static int take(int64_t revision, int64_t expected_version, int64_t expected_site)
{
  struct sj_panic_record taken = {0};
  if (!sj_take_panic(&table, revision, 0, &taken))
    return 0;
  EXPECT(taken.thread == sj_current_thread()->number && taken.revision == expected_version &&
         taken.site == expected_site);
  EXPECT(taken.a == expected_site + 1 && taken.b == expected_site + 2);
  return 1;
}

void the_newest_panic_of_a_version_stays(void)
{
  EXPECT(!take(SJ_ANY_REVISION, 0, 0));
  report(1, 10);
  report(2, 20);
  report(1, 11);
  EXPECT(table.head.count == 3);
  EXPECT(!take(3, 0, 0));
  EXPECT(take(2, 2, 20));
  report(3, 30);
  EXPECT(take(SJ_ANY_REVISION, 3, 30));
  EXPECT(take(SJ_ANY_REVISION, 1, 11));
  EXPECT(!take(SJ_ANY_REVISION, 0, 0)); /* That of site 10 was replaced. */
}

void the_oldest_panic_is_replaced(void)
{
  for (int64_t revision = 1; revision <= SJ_RECORDS; revision++)
    report(revision, revision);
  report(1, 100); /* Now that of revision 2 is the oldest. */
  report(SJ_RECORDS + 1, SJ_RECORDS + 1);
  EXPECT(!take(2, 0, 0));
  EXPECT(take(1, 1, 100));
  for (int64_t revision = SJ_RECORDS + 1; revision > 2; revision--)
    EXPECT(take(SJ_ANY_REVISION, revision, revision));
  EXPECT(!take(SJ_ANY_REVISION, 0, 0));
  EXPECT(table.head.count == SJ_RECORDS + 2);
}

void a_report_that_was_cut_off_is_no_loss(void)
{
  for (int i = 0; i < SJ_RECORDS; i++)
    table.records[i].thread =
        i ? -1000 : -sj_current_thread()->number; /* One is ours, the others' owners are at work. */
  report(1, 10);
  EXPECT(table.records[0].thread == sj_current_thread()->number);
  EXPECT(take(1, 1, 10));
  table.records[0].thread = -1000;
  report(1, 11); /* There is no room, but it counts. */
  EXPECT(!take(1, 0, 0) && table.head.count == 2);
}

static void *report_or_find_none(void *with)
{
  if (with)
    report(1, 10);
  else
    EXPECT(sj_current_thread() && !take(SJ_ANY_REVISION, 0, 0));
  return (void *)sj_thread_id();
}

void no_thread_takes_what_an_ended_one_has_left(void)
{
  int had_same_pointer = 0;
  for (int round = 0; round < 20; round++)
  {
    void *pointers[2] = {0, 0};
    for (int i = 0; i < 2; i++)
    {
      pthread_t thread;
      EXPECT(pthread_create(&thread, 0, report_or_find_none, i ? 0 : &table) == 0);
      EXPECT(pthread_join(thread, &pointers[i]) == 0);
    }
    had_same_pointer += pointers[0] == pointers[1];
  }
  EXPECT(had_same_pointer); /* The C library gives a stack to the next thread. */
}

static void *report_and_take(void *with)
{
  int64_t own = *(int64_t *)with;
  struct sj_panic_record taken;
  for (int64_t round = 0; round < ROUNDS; round++)
  {
    for (int64_t revision = 0; revision < 12; revision++) /* Together more than there is room for. */
      report(own + revision, own + revision);
    while (sj_take_panic(&table, SJ_ANY_REVISION, 0, &taken))
      EXPECT(taken.revision / 100 == own / 100 && taken.site == taken.revision && taken.b == taken.site + 2);
  }
  return 0;
}

void many_threads_report_and_take(void)
{
  pthread_t threads[THREADS];
  int64_t own[THREADS];
  for (int i = 0; i < THREADS; i++)
  {
    own[i] = 100 * (i + 1);
    EXPECT(pthread_create(&threads[i], 0, report_and_take, &own[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++)
    EXPECT(pthread_join(threads[i], 0) == 0);
  EXPECT(table.head.count == THREADS * ROUNDS * 12);
  for (int i = 0; i < SJ_RECORDS; i++)
    EXPECT(table.records[i].thread == 0);
}

static void *take_each(void *with)
{
  int64_t own = *(int64_t *)with;
  for (int64_t round = 0; round < 10 * ROUNDS; round++)
  {
    report(own, round);
    EXPECT(take(own, own, round));
  }
  return 0;
}

void where_there_is_room_no_report_is_lost(void)
{
  pthread_t threads[2];
  int64_t own[2] = {1, 2};
  for (int i = 0; i < 2; i++)
    EXPECT(pthread_create(&threads[i], 0, take_each, &own[i]) == 0);
  for (int i = 0; i < 2; i++)
    EXPECT(pthread_join(threads[i], 0) == 0);
}
