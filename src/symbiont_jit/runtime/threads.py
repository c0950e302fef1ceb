"""A place for every thread that calls guarded code: given at its first call, taken back when the thread ends.

In: nothing. Out: the names that compiled candidates leave open, with their addresses. The C library says how far down
a thread's stack goes, once for each thread; its arena is mapped when a candidate first asks for memory there.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Mapping
from typing import Final

from symbiont_jit.backend.generated import load_unit
from symbiont_jit.backend.unit import Unit
from symbiont_jit.errors import UsageError
from symbiont_jit.runtime.arena import ARENA, ARENA_BYTES
from symbiont_jit.runtime.thread_slots import OWN_PLACE, PLACE, PLACE_WORDS, PLACES, RECORDS

__all__ = ["MARGIN", "THREADS", "bound_names", "places"]

#: Bytes at the lower end of a stack that no candidate gets: for the guard page, signal handlers and reports.
MARGIN: Final = 64 << 10
#: What a call leaves in the arena beyond this goes back to the system before the next one.
KEPT_BYTES: Final = 1 << 20
_FLOOR: Final = 3


@functools.cache
def places() -> ctypes.Array[ctypes.c_int64]:
    """The places of threads, one behind the other; the first one is nobody's."""
    table = (ctypes.c_int64 * ((PLACES + 1) * PLACE_WORDS))()
    table[_FLOOR] = 1 << 62  # nobody's stack: who finds no place gets a panic, because nothing is known of its own
    return table


@functools.cache
def bound_names() -> Mapping[str, int]:
    """What compiled candidates need besides the C library: where threads have their places, and how to get one."""
    table, key = ctypes.addressof(places()), ctypes.c_uint(0)
    symbols = {"sj_places": table, "sj_key": ctypes.addressof(key)} | _library(_LIBRARY)
    loaded = load_unit(THREADS, symbols)
    enlist, leave, arena, report, forked = loaded.addresses
    if ctypes.CDLL(None).pthread_key_create(ctypes.byref(key), ctypes.c_void_p(leave)) != 0:
        raise UsageError("this process has used up its thread-specific keys, one of which kernels need")
    _KEPT.extend((loaded, key))
    os.register_at_fork(after_in_child=ctypes.CFUNCTYPE(None)(forked))
    return {"sj_places": table, "sj_enlist": enlist, "sj_arena": arena, "sj_report": report}


_KEPT: Final[list[object]] = []


_LIBRARY: Final = (
    "pthread_setspecific pthread_self pthread_getattr_np pthread_attr_getstack pthread_attr_destroy mmap munmap madvise"
)


def _library(names: str) -> dict[str, int]:
    """Functions of the C library as this process has it."""
    library = ctypes.CDLL(None)
    return {name: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names.split()}


_PROT_READ_WRITE: Final = 3
_MAP_PRIVATE_ANONYMOUS_NORESERVE: Final = 0x2 | 0x20 | 0x4000
_MADV_DONTNEED: Final = 4

_TEXT: Final = f"""{PLACE}{OWN_PLACE}{ARENA}
extern unsigned sj_key;
extern int pthread_setspecific(unsigned, const void *);
extern unsigned long pthread_self(void);
extern int pthread_getattr_np(unsigned long, void *);
extern int pthread_attr_getstack(const void *, void **, size_t *);
extern int pthread_attr_destroy(void *);
extern void *mmap(void *, size_t, int, int, int, long);
extern int munmap(void *, size_t);
extern int madvise(void *, size_t, int);

static const char *sj_lowest(void)
{{
  int64_t attributes[16];  // more than any system's pthread_attr_t
  void *low = 0;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), attributes) != 0)
    return 0;
  if (pthread_attr_getstack(attributes, &low, &size) != 0)
    low = 0;
  pthread_attr_destroy(attributes);
  return low ? (const char *)low + {MARGIN} : 0;
}}
struct sj_place *sj_enlist(void)
{{
  int64_t me = sj_me();
  struct sj_place *own = sj_own(me);
  if (own)
    return own;
  for (uint64_t i = 0; i < {PLACES}; i++) {{
    struct sj_place *p = sj_nth(me, i);
    int64_t owner = p->thread;  // -1 where a thread was that has ended: others may be found behind it
    if (owner != 0 && owner != -1)
      continue;
    if (!__atomic_compare_exchange_n(&p->thread, &owner, me, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      continue;
    p->floor = sj_lowest();
    pthread_setspecific(sj_key, p);
    return p;
  }}
  return sj_places;
}}
void sj_leave(void *place)
{{
  struct sj_place *p = place;
  if (p->thread != sj_me())
    return;
  if (p->arena)
    munmap(p->arena, {ARENA_BYTES});
  p->frame = 0;
  p->arena = 0;
  p->is_open = 0;
  __atomic_store_n(&p->thread, -1, __ATOMIC_RELEASE);
}}
void sj_forked(void)
{{
  int64_t me = sj_me();
  for (uint64_t i = 0; i < {PLACES}; i++) {{
    struct sj_place *p = sj_nth(me, i);
    if (p->thread == 0 || p->thread == me)
      continue;
    p->thread = -1;  // no thread of a parent's lives here, and another one may be given its address
    p->frame = 0;
    p->arena = 0;
  }}
}}
void sj_report(struct sj_frame *frame, struct sj_record *table, int64_t version)
{{
  int64_t me = sj_me();
  int64_t number = __atomic_add_fetch(&table->thread, 1, __ATOMIC_SEQ_CST);
  struct sj_record *place = 0, *oldest = table + 1;
  for (int i = 1; i <= {RECORDS} && !place; i++) {{
    struct sj_record *r = table + i;
    int64_t thread = __atomic_load_n(&r->thread, __ATOMIC_ACQUIRE), nobody = 0;
    if (thread == me && r->version == version)
      place = r;
    else if (!thread && __atomic_compare_exchange_n(&r->thread, &nobody, me, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      place = r;
    else if (r->number < oldest->number)
      oldest = r;
  }}
  if (!place)
    place = oldest;
  place->number = number;
  place->version = version;
  place->site = frame->site;
  place->a = frame->a;
  place->b = frame->b;
  __atomic_store_n(&place->thread, me, __ATOMIC_RELEASE);
}}
struct sj_arena *sj_arena(void)
{{
  struct sj_place *p = sj_enlist();
  if (p == sj_places)  // many threads share it
    return 0;
  if (!p->arena) {{
    void *memory = mmap(0, {ARENA_BYTES}, {_PROT_READ_WRITE}, {_MAP_PRIVATE_ANONYMOUS_NORESERVE}, -1, 0);
    if (memory == (void *)-1L)
      return 0;
    struct sj_arena *made = memory;
    made->end = (char *)memory + {ARENA_BYTES};
    made->next = made->begin = (char *)(made + 1) + (-sizeof(struct sj_arena) & 15);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);  // an interruption may end the call anywhere
    p->arena = made;
  }}
  struct sj_arena *arena = p->arena;
  char *kept = (char *)arena + {KEPT_BYTES};
  if (arena->next > kept)
    madvise(kept, (size_t)(arena->next - kept), {_MADV_DONTNEED});
  arena->next = arena->begin;
  __builtin_memset(arena->freed, 0, sizeof(arena->freed));
  return arena;
}}
"""

#: The functions behind the names.
THREADS: Final = Unit(
    _TEXT,
    ("sj_enlist", "sj_leave", "sj_arena", "sj_report", "sj_forked"),
    frozenset(["sj_places", "sj_key", *_LIBRARY.split()]),
)
