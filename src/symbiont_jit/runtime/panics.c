/*
Panics are left in a table and taken from it. The newest panic of each thread and revision stays until it is taken, or
until the table is full and no panic is older.

A thread that writes or takes a record owns it meanwhile by the negative of its number, so that no two threads ever
touch the rest of it together.
*/

#include "runtime/thread_slots.h"

/* Threads hold a record only for a few stores. One that finds all records held this often only counts its panic. */
#define SJ_ATTEMPTS 1000

extern void sj_report_panic(struct sj_frame *, struct sj_panic_table *, int64_t);
extern int64_t sj_take_panic(struct sj_panic_table *, int64_t, int64_t, struct sj_panic_record *);
extern void sj_watch_panics(struct sj_panic_table *, struct sj_panic_record *);
extern int64_t sj_take_watched(struct sj_panic_table *, struct sj_panic_record *);

/* Threads for which there was no slot are told apart by their thread pointers, which are greater than any number. */
static int64_t sj_thread_number(void)
{
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  return slot ? slot->number : sj_thread_id();
}

static void sj_note_panic(struct sj_panic_table *table, int64_t number)
{
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  if (!slot)
    return;
  slot->last = table->head.identity;
  slot->panicked = number;
}

/* A revision that calls fall back to, or from: the words that lead to its code while it is active, and what they hold
then. `next` was active before it. */
struct sj_fallback
{
  int64_t revision, has_panicked;
  uint64_t *cells[2], targets[2];
  struct sj_fallback *next;
};

/* Send calls that still go to a revision that has panicked to the newest one before it that has not. Other threads may
   put revisions in another order meanwhile, so the way along them has an end in any case. */
static void sj_fall_back(struct sj_fallback *newest, int64_t revision)
{
  struct sj_fallback *bad = newest;
  for (int i = 0; bad && bad->revision != revision && i < SJ_FALLBACKS; i++)
    bad = __atomic_load_n(&bad->next, __ATOMIC_ACQUIRE);
  if (!bad || bad->revision != revision)
    return;
  __atomic_store_n(&bad->has_panicked, 1, __ATOMIC_SEQ_CST);
  struct sj_fallback *good = bad;
  for (int i = 0; good && good->has_panicked && i < SJ_FALLBACKS; i++)
    good = __atomic_load_n(&good->next, __ATOMIC_ACQUIRE);
  if (!good || good->has_panicked)
    return;
  for (int i = 0; i < 2; i++)
  {
    uint64_t from = bad->targets[i];
    if (bad->cells[i])
      __atomic_compare_exchange_n(bad->cells[i], &from, good->targets[i], 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }
}

static int64_t sj_load(const int64_t *word)
{
  return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void sj_store(int64_t *word, int64_t value)
{
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static int sj_hand_over(struct sj_panic_record *record, int64_t from, int64_t to)
{
  return __atomic_compare_exchange_n(&record->thread, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* A record, and the owner that it was seen to have: it changes hands only if nobody has had it since. */
struct sj_choice
{
  struct sj_panic_record *record;
  int64_t owner;
};

/* Choose the thread's record for this revision, else a free one, else the oldest; null where others hold all. */
static struct sj_choice sj_choose_record(struct sj_panic_table *table, int64_t me, int64_t revision)
{
  struct sj_choice chosen = {0, 0}, oldest = {0, 0};
  for (int i = 0; i < SJ_RECORDS; i++)
  {
    struct sj_panic_record *record = &table->records[i];
    int64_t owner = __atomic_load_n(&record->thread, __ATOMIC_ACQUIRE);
    /* An interruption may have ended this thread's last report half way. */
    if (owner == -me || (owner == me && sj_load(&record->revision) == revision))
      return (struct sj_choice){record, owner};
    if (owner == 0 && !chosen.record)
      chosen.record = record;
    if (owner > 0 && (!oldest.record || sj_load(&record->number) < sj_load(&oldest.record->number)))
      oldest = (struct sj_choice){record, owner};
  }
  return chosen.record ? chosen : oldest;
}

static struct sj_panic_record *sj_seize_record(struct sj_panic_table *table, int64_t me, int64_t revision)
{
  for (int i = 0; i < SJ_ATTEMPTS; i++)
  {
    struct sj_choice choice = sj_choose_record(table, me, revision);
    if (choice.record && sj_hand_over(choice.record, choice.owner, -me))
      return choice.record;
  }
  return 0;
}

void sj_report_panic(struct sj_frame *frame, struct sj_panic_table *table, int64_t revision)
{
  int64_t me = sj_thread_number();
  int64_t number = __atomic_add_fetch(&table->head.count, 1, __ATOMIC_SEQ_CST);
  sj_note_panic(table, number);
  sj_fall_back(table->head.fallback, revision);
  struct sj_panic_record *record = sj_seize_record(table, me, revision);
  if (!record)
    return;
  sj_store(&record->number, number);
  sj_store(&record->revision, revision);
  record->site = frame->site;
  record->a = frame->a;
  record->b = frame->b;
  __atomic_store_n(&record->thread, me, __ATOMIC_RELEASE);
}

static struct sj_panic_record *sj_newest_record(struct sj_panic_table *table, int64_t me, int64_t revision,
                                                int64_t before)
{
  struct sj_panic_record *newest = 0;
  for (int i = 0; i < SJ_RECORDS; i++)
  {
    struct sj_panic_record *record = &table->records[i];
    if (__atomic_load_n(&record->thread, __ATOMIC_ACQUIRE) != me)
      continue;
    if (revision != SJ_ANY_REVISION && sj_load(&record->revision) != revision)
      continue;
    if (sj_load(&record->number) <= before)
      continue;
    if (!newest || sj_load(&record->number) > sj_load(&newest->number))
      newest = record;
  }
  return newest;
}

/* Move the newest record of this thread (of one revision) to `taken`, and return 1; return 0 where there is none whose
   number is above `before`. */
int64_t sj_take_panic(struct sj_panic_table *table, int64_t revision, int64_t before, struct sj_panic_record *taken)
{
  int64_t me = sj_thread_number();
  struct sj_panic_record *newest;
  do
  {
    newest = sj_newest_record(table, me, revision, before);
    if (!newest)
      return 0;
  } while (!sj_hand_over(newest, me, -me)); /* Another thread has just replaced it. */
  taken->thread = me;
  taken->number = sj_load(&newest->number);
  taken->revision = sj_load(&newest->revision);
  taken->site = newest->site;
  taken->a = newest->a;
  taken->b = newest->b;
  __atomic_store_n(&newest->thread, 0, __ATOMIC_RELEASE);
  return 1;
}

/* Note how many panics there are before a call. */
void sj_watch_panics(struct sj_panic_table *table, struct sj_panic_record *watched)
{
  watched->number = __atomic_load_n(&table->head.count, __ATOMIC_RELAXED);
}

/* Take this thread's newest panic since a table was watched: return 1 with the record, SJ_REPLACED where records of
   other threads have taken its place, 0 where there is none. */
int64_t sj_take_watched(struct sj_panic_table *table, struct sj_panic_record *watched)
{
  int64_t before = watched->number;
  if (sj_take_panic(table, SJ_ANY_REVISION, before, watched))
    return 1;
  struct sj_thread *slot = sj_find_thread(sj_thread_id());
  return slot && slot->last == table->head.identity && slot->panicked > before ? SJ_REPLACED : 0;
}
