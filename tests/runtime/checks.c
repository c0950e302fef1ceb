/* Every check lets through what is right and panics with the two values that the message is made of. */

#include "runtime/checks.h"
#include <pthread.h>

#include "driver.h"

#define SITE 7

static double as_double(int64_t bits)
{
  double value;
  __builtin_memcpy(&value, &bits, 8);
  return value;
}

static int64_t as_bits(double value)
{
  int64_t bits;
  __builtin_memcpy(&bits, &value, 8);
  return bits;
}

#define CALL(name, expression)                                                                                         \
  static int64_t name(struct sj_frame *frame, void *with)                                                              \
  {                                                                                                                    \
    const int64_t *v = with;                                                                                           \
    return (int64_t)(expression);                                                                                      \
  }

CALL(call_index, sj_index(frame, SITE, v[0], v[1]))
CALL(call_span, sj_span(frame, SITE, (void *)v[0], v[1], (uint64_t)v[2], (uint64_t)v[3]))
CALL(call_at, sj_at(frame, SITE, (void *)v[0], v[1], 8, (uint64_t)v[2], (uint64_t)v[3]))
CALL(call_far, sj_far(frame, SITE, (void *)v[0], v[1], 8, (uint64_t)v[2], (uint64_t)v[3]))
CALL(call_aligned, sj_aligned(frame, SITE, (void *)v[0], (uint64_t)v[1]))
CALL(call_times, ((void)frame, sj_times(v[0], v[1])))
CALL(call_length, sj_length(frame, SITE, v[0]))
CALL(call_shift, sj_shift(frame, SITE, v[0], v[1]))
CALL(call_assume, (sj_assume(frame, SITE, v[0] != 0), 0))
CALL(call_divi32, sj_divi32(frame, SITE, (int32_t)v[0], (int32_t)v[1]))
CALL(call_remi32, sj_remi32(frame, SITE, (int32_t)v[0], (int32_t)v[1]))
CALL(call_divi64, sj_divi64(frame, SITE, v[0], v[1]))
CALL(call_remi64, sj_remi64(frame, SITE, v[0], v[1]))
CALL(call_divu32, sj_divu32(frame, SITE, (uint32_t)v[0], (uint32_t)v[1]))
CALL(call_remu32, sj_remu32(frame, SITE, (uint32_t)v[0], (uint32_t)v[1]))
CALL(call_divu64, sj_divu64(frame, SITE, (uint64_t)v[0], (uint64_t)v[1]))
CALL(call_remu64, sj_remu64(frame, SITE, (uint64_t)v[0], (uint64_t)v[1]))
CALL(call_add32, sj_add32(frame, SITE, (int32_t)v[0], (int32_t)v[1]))
CALL(call_sub32, sj_sub32(frame, SITE, (int32_t)v[0], (int32_t)v[1]))
CALL(call_mul32, sj_mul32(frame, SITE, (int32_t)v[0], (int32_t)v[1]))
CALL(call_add64, sj_add64(frame, SITE, v[0], v[1]))
CALL(call_sub64, sj_sub64(frame, SITE, v[0], v[1]))
CALL(call_mul64, sj_mul64(frame, SITE, v[0], v[1]))
CALL(call_abs32, sj_abs32(frame, SITE, (int32_t)v[0]))
CALL(call_abs64, sj_abs64(frame, SITE, v[0]))
CALL(call_fiti8, sj_fiti8(frame, SITE, as_double(v[0])))
CALL(call_fitu8, sj_fitu8(frame, SITE, as_double(v[0])))
CALL(call_fiti16, sj_fiti16(frame, SITE, as_double(v[0])))
CALL(call_fitu16, sj_fitu16(frame, SITE, as_double(v[0])))
CALL(call_fiti32, sj_fiti32(frame, SITE, as_double(v[0])))
CALL(call_fitu32, sj_fitu32(frame, SITE, as_double(v[0])))
CALL(call_fiti64, sj_fiti64(frame, SITE, as_double(v[0])))
CALL(call_fitu64, sj_fitu64(frame, SITE, as_double(v[0])))

struct example
{
  body *body;
  int64_t values[4];
  int panics;
  int64_t expected[2]; /* the result, or the two values of the panic */
};

static const struct example examples[] = {
    {call_index, {0, 3}, 0, {0, 0}},
    {call_index, {2, 3}, 0, {2, 0}},
    {call_index, {3, 3}, 1, {3, 3}},
    {call_index, {-1, 3}, 1, {-1, 3}},
    {call_span, {1000, 24, 1000, 1024}, 0, {1000, 0}},
    {call_span, {1008, 24, 1000, 1024}, 1, {24, 16}},
    {call_span, {992, 8, 1000, 1024}, 1, {8, 0}},
    {call_span, {4, 8, 0, 0}, 1, {8, -1}},
    {call_span, {4, 0, 0, 0}, 0, {4, 0}},
    {call_at, {1000, 2, 1000, 1024}, 0, {1016, 0}},
    {call_at, {1008, -1, 1000, 1024}, 0, {1000, 0}},
    {call_at, {1000, 3, 1000, 1024}, 1, {3, 3}},
    {call_at, {1000, -1, 1000, 1024}, 1, {-1, 3}},
    {call_at, {0, 0, 0, 0}, 1, {0, -1}},
    {call_far, {1000, 2, 1000, 1024}, 0, {1016, 0}},
    {call_far, {1000, 1L << 61, 1000, 1024}, 1, {1L << 61, 3}},
    {call_aligned, {1008, 8}, 0, {1008, 0}},
    {call_aligned, {1012, 8}, 1, {4, 8}},
    {call_times, {6, 7}, 0, {42, 0}},
    {call_times, {INT64_MAX, 2}, 0, {INT64_MAX, 0}},
    {call_length, {1 << 24}, 0, {1 << 24, 0}},
    {call_length, {(1 << 24) + 1}, 1, {(1 << 24) + 1, 0}},
    {call_length, {-1}, 1, {-1, 0}},
    {call_shift, {31, 32}, 0, {31, 0}},
    {call_shift, {32, 32}, 1, {32, 32}},
    {call_shift, {-1, 32}, 1, {-1, 32}},
    {call_assume, {1}, 0, {0, 0}},
    {call_assume, {0}, 1, {0, 0}},
    {call_divi32, {-7, 2}, 0, {-3, 0}},
    {call_divi32, {7, 0}, 1, {7, 0}},
    {call_divi32, {INT32_MIN, -1}, 1, {INT32_MIN, -1}},
    {call_remi32, {-7, 2}, 0, {-1, 0}},
    {call_remi32, {INT32_MIN, -1}, 1, {INT32_MIN, -1}},
    {call_divi64, {INT64_MIN, 2}, 0, {INT64_MIN / 2, 0}},
    {call_divi64, {INT64_MIN, -1}, 1, {INT64_MIN, -1}},
    {call_remi64, {7, 0}, 1, {7, 0}},
    {call_remi64, {INT64_MIN, -1}, 1, {INT64_MIN, -1}},
    {call_divu32, {-1, 2}, 0, {INT32_MAX, 0}},
    {call_divu32, {7, 0}, 1, {7, 0}},
    {call_remu32, {7, 4}, 0, {3, 0}},
    {call_remu32, {7, 0}, 1, {7, 0}},
    {call_divu64, {-1, 2}, 0, {INT64_MAX, 0}},
    {call_divu64, {-1, -1}, 0, {1, 0}},
    {call_divu64, {7, 0}, 1, {7, 0}},
    {call_remu64, {7, 0}, 1, {7, 0}},
    {call_add32, {INT32_MAX, -1}, 0, {INT32_MAX - 1, 0}},
    {call_add32, {INT32_MAX, 1}, 1, {INT32_MAX, 1}},
    {call_sub32, {INT32_MIN, 1}, 1, {INT32_MIN, 1}},
    {call_mul32, {1 << 16, 1 << 15}, 1, {1 << 16, 1 << 15}},
    {call_add64, {INT64_MAX, 1}, 1, {INT64_MAX, 1}},
    {call_sub64, {INT64_MIN, 1}, 1, {INT64_MIN, 1}},
    {call_mul64, {1L << 32, 1L << 31}, 1, {1L << 32, 1L << 31}},
    {call_mul64, {1L << 31, 1L << 31}, 0, {1L << 62, 0}},
    {call_abs32, {-5}, 0, {5, 0}},
    {call_abs32, {INT32_MIN}, 1, {INT32_MIN, 0}},
    {call_abs64, {INT64_MIN}, 1, {INT64_MIN, 0}},
};

/* The least and the largest value that fits each type, and the nearest ones that do not. */
static const struct
{
  body *body;
  double least, largest, too_low, too_high;
} fits[] = {
    {call_fiti8, -128.9, 127.9, -129.0, 128.0},
    {call_fitu8, -0.9, 255.9, -1.0, 256.0},
    {call_fiti16, -32768.9, 32767.9, -32769.0, 32768.0},
    {call_fitu16, -0.9, 65535.9, -1.0, 65536.0},
    {call_fiti32, -2147483648.9, 2147483647.9, -2147483649.0, 2147483648.0},
    {call_fitu32, -0.9, 4294967295.9, -1.0, 4294967296.0},
    {call_fiti64, -0x1p63, 0x1.fffffffffffffp62, -0x1.0000000000001p63, 0x1p63},
    {call_fitu64, -0.9, 0x1.fffffffffffffp63, -1.0, 0x1p64},
};

static void expect_panic(struct outcome outcome, int64_t a, int64_t b)
{
  EXPECT(outcome.has_panicked);
  EXPECT(outcome.result == 0);
  EXPECT(outcome.panic.site == SITE);
  EXPECT(outcome.panic.a == a);
  EXPECT(outcome.panic.b == b);
  EXPECT(outcome.panic.revision == (int64_t)sj_revision);
}

static void try_example(struct example example)
{
  struct outcome outcome = attempt(example.body, example.values);
  if (example.panics)
    expect_panic(outcome, example.expected[0], example.expected[1]);
  else
    EXPECT(!outcome.has_panicked && outcome.result == example.expected[0]);
}

static void try_fit(body *body, double value, int does_fit)
{
  int64_t bits = as_bits(value);
  struct outcome outcome = attempt(body, &bits);
  if (does_fit)
    EXPECT(!outcome.has_panicked && (double)outcome.result - value < 1.0 && value - (double)outcome.result < 1.0);
  else
    expect_panic(outcome, bits, 0);
}

void checks_pass_and_panic(void)
{
  for (int i = 0; i < COUNT(examples); i++)
    try_example(examples[i]);
  for (int i = 0; i < COUNT(fits); i++)
  {
    try_fit(fits[i].body, fits[i].least, 1);
    if (fits[i].body != call_fitu64) /* The result is more than int64_t holds. */
      try_fit(fits[i].body, fits[i].largest, 1);
    try_fit(fits[i].body, fits[i].too_low, 0);
    try_fit(fits[i].body, fits[i].too_high, 0);
    try_fit(fits[i].body, __builtin_nan(""), 0);
  }
}

static int64_t run_loop(struct sj_frame *frame, void *with)
{
  for (int64_t steps = *(int64_t *)with; steps > 0; steps--)
    sj_step(frame, SITE);
  return 1;
}

void loops_end(void)
{
  int64_t steps = 10;
  sj_panics.head.fuel = 10;
  EXPECT(attempt(run_loop, &steps).result == 1);
  steps = 11;
  expect_panic(attempt(run_loop, &steps), 0, 0);
  sj_panics.head.fuel = SJ_ENDLESS;
  EXPECT(attempt(run_loop, &steps).result == 1);
}

__attribute__((noinline)) static int64_t descend(struct sj_frame *frame, int64_t depth)
{
  volatile char ballast[1024];
  ballast[depth & 1023] = 1;
  sj_enter(frame, SITE);
  return depth ? descend(frame, depth - 1) + ballast[depth & 1023] : 0;
}

static int64_t run_recursion(struct sj_frame *frame, void *with)
{
  return descend(frame, *(int64_t *)with);
}

void recursion_ends(void)
{
  int64_t depth = 10;
  EXPECT(attempt(run_recursion, &depth).result == 10);
  depth = INT64_MAX;
  struct outcome outcome = attempt(run_recursion, &depth);
  EXPECT(outcome.has_panicked && outcome.panic.site == SITE);
  EXPECT(outcome.panic.a >= 1 << 19 && outcome.panic.a < 1 << 20);
}

#define SMALL_STACK (400 << 10)

static void *overflow_stack(void *with)
{
  int64_t depth = INT64_MAX;
  *(struct outcome *)with = attempt(run_recursion, &depth);
  return 0;
}

void a_small_stack_ends_earlier(void)
{
  pthread_t thread;
  pthread_attr_t attributes;
  struct outcome outcome = {0};
  EXPECT(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, SMALL_STACK) == 0);
  EXPECT(pthread_create(&thread, &attributes, overflow_stack, &outcome) == 0 && pthread_join(thread, 0) == 0);
  EXPECT(outcome.has_panicked && outcome.panic.site == SITE); /* The guard page was not reached. */
}

/* What an array takes besides its bytes: it begins at a multiple of 16, and one of no bytes has a place too. */
#define AROUND 32

static int64_t run_arrays(struct sj_frame *frame, void *with)
{
  struct sj_saved saved = {frame, frame->used};
  sj_room(frame, SITE, 1000);
  EXPECT(frame->used == 1000 + AROUND);
  sj_restore(&saved);
  EXPECT(frame->used == 0);
  sj_room(frame, SITE, *(int64_t *)with);
  return frame->used;
}

void local_arrays_are_counted(void)
{
  int64_t size = 4096;
  EXPECT(attempt(run_arrays, &size).result == 4096 + AROUND);
  size = 1 << 20;
  struct outcome outcome = attempt(run_arrays, &size);
  EXPECT(outcome.has_panicked && outcome.panic.a == size && outcome.panic.b > 0 && outcome.panic.b < 1 << 19);
  size = -1;
  EXPECT(attempt(run_arrays, &size).has_panicked);
}

static int64_t run_inner(struct sj_frame *frame, void *with)
{
  EXPECT(sj_current_thread()->frame == frame && frame != with);
  sj_panic(frame, SITE, 1, 2);
}

static int64_t run_outer(struct sj_frame *frame, void *with)
{
  (void)with;
  EXPECT(sj_current_thread()->frame == frame && sj_current_thread()->panics == &sj_panics);
  expect_panic(attempt(run_inner, frame), 1, 2);
  EXPECT(sj_current_thread()->frame == frame);
  return 5;
}

void calls_nest(void)
{
  struct outcome outcome = attempt(run_outer, 0);
  EXPECT(outcome.result == 5 && !outcome.has_panicked);
  EXPECT(sj_current_thread()->frame == 0);
}
