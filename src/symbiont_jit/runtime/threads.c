/*
Every thread that calls instrumented code gets a slot at its first call, and gives it back when it ends. The C library
says once for each thread how far down its stack goes; its arena is mapped when a candidate first allocates.
*/

#include "runtime/arena.h"
#include "runtime/system.h"
#include "runtime/thread_slots.h"

extern unsigned sj_key;
extern void sj_leave(void *);
extern void sj_forked(void);

static const char *sj_stack_floor(void)
{
  int64_t attributes[SJ_ATTRIBUTE_WORDS];
  void *low = 0;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), attributes) != 0)
    return 0;
  if (pthread_attr_getstack(attributes, &low, &size) != 0)
    low = 0;
  pthread_attr_destroy(attributes);
  return low ? (const char *)low + SJ_STACK_MARGIN : 0;
}

/* Give this thread a stack for handlers of signals, without which one that comes when the stack is used up ends the
   process; null where the thread has one. */
static void *sj_map_signal_stack(void)
{
  struct sj_stack stack = {0, SJ_SS_DISABLE, 0};
  if (sigaltstack(0, &stack) != 0 || !(stack.flags & SJ_SS_DISABLE))
    return 0;
  void *memory = mmap(0, SJ_SIGNAL_STACK, SJ_PROT_READ_WRITE, SJ_MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
  if (memory == (void *)-1L)
    return 0;
  stack = (struct sj_stack){memory, 0, SJ_SIGNAL_STACK};
  if (sigaltstack(&stack, 0) == 0)
    return memory;
  munmap(memory, SJ_SIGNAL_STACK);
  return 0;
}

static void sj_unmap_signal_stack(void *memory)
{
  struct sj_stack stack = {0, 0, 0};
  if (sigaltstack(0, &stack) == 0 && stack.start == memory)
  {
    stack.flags = SJ_SS_DISABLE;
    sigaltstack(&stack, 0);
  }
  munmap(memory, SJ_SIGNAL_STACK);
}

/* Let the signals of interruptions and of faults reach this thread, which may have blocked all signals. */
static void sj_unblock_signals(void)
{
  const uint64_t signals[SJ_SIGNAL_WORDS] = {1ULL << (SJ_INTERRUPT_SIGNAL - 1) | SJ_FAULT_SIGNALS};
  pthread_sigmask(SJ_SIG_UNBLOCK, signals, 0);
}

/* Give a slot to a thread. Slots of ended threads stay marked as used, because other threads may be found behind. */
static int sj_claim(struct sj_thread *slot, int64_t me)
{
  int64_t owner = sj_owner(slot);
  if (owner != 0 && owner != -1)
    return 0;
  return __atomic_compare_exchange_n(&slot->thread, &owner, me, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

struct sj_thread *sj_enlist(void)
{
  int64_t me = sj_thread_id();
  struct sj_thread *own = sj_find_thread(me);
  if (own)
    return own;
  for (uint64_t i = 0; i < SJ_THREADS; i++)
  {
    struct sj_thread *slot = sj_probe(me, i);
    if (!sj_claim(slot, me))
      continue;
    slot->number = __atomic_add_fetch(&sj_threads[0].number, 1, __ATOMIC_RELAXED);
    slot->floor = sj_stack_floor();
    slot->signal_stack = sj_map_signal_stack();
    slot->id = gettid();
    __atomic_store_n(&slot->wanted, 0, __ATOMIC_RELAXED);
    sj_unblock_signals();
    pthread_setspecific(sj_key, slot);
    return slot;
  }
  return sj_threads;
}

/* Give the slot of an ending thread back; this is the destructor of the thread-specific key. */
void sj_leave(void *ended)
{
  struct sj_thread *slot = ended;
  if (sj_owner(slot) != sj_thread_id())
    return;
  if (slot->arena)
    munmap(slot->arena, SJ_ARENA_BYTES);
  if (slot->signal_stack)
    sj_unmap_signal_stack(slot->signal_stack);
  slot->frame = 0;
  slot->arena = 0;
  slot->signal_stack = 0;
  slot->is_open = 0;
  __atomic_store_n(&slot->thread, -1, __ATOMIC_RELEASE);
}

/* Give the slots of other threads back in the child of a fork, where a new thread may get an old one's address. */
void sj_forked(void)
{
  int64_t me = sj_thread_id();
  for (uint64_t i = 0; i < SJ_THREADS; i++)
  {
    struct sj_thread *slot = sj_probe(me, i);
    if (slot->thread == me)
      slot->id = gettid(); /* the child's only thread has a number of its own */
    if (slot->thread == 0 || slot->thread == me)
      continue;
    slot->thread = -1;
    slot->frame = 0;
    slot->arena = 0;
    slot->signal_stack = 0;
  }
}

static struct sj_arena *sj_map_arena(void)
{
  void *memory = mmap(0, SJ_ARENA_BYTES, SJ_PROT_READ_WRITE, SJ_MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
  if (memory == (void *)-1L)
    return 0;
  struct sj_arena *arena = memory;
  arena->end = (char *)memory + SJ_ARENA_BYTES;
  arena->next = arena->begin = (char *)(arena + 1) + (-sizeof(struct sj_arena) & 15);
  return arena;
}

struct sj_arena *sj_open_arena(void)
{
  struct sj_thread *slot = sj_enlist();
  if (slot == sj_threads) /* Many threads share it. */
    return 0;
  if (!slot->arena)
  {
    struct sj_arena *mapped = sj_map_arena();
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* An interruption may end the call anywhere: publish it when complete. */
    slot->arena = mapped;
    if (!mapped)
      return 0;
  }
  struct sj_arena *arena = slot->arena;
  char *kept = (char *)arena + SJ_ARENA_KEPT;
  if (arena->next > kept)
    madvise(kept, (size_t)(arena->next - kept), SJ_MADV_DONTNEED);
  arena->next = arena->begin;
  __builtin_memset(arena->freed, 0, sizeof(arena->freed));
  return arena;
}
