#pragma once

/*
The checks that instrumented code calls. Each check gives its value or ends the call with a panic.

A panic notes its site and two values in the call's frame and jumps back to the entry shim, which reports it and returns
zero. The checks are small and always inlined; what happens on failure is kept out of line.

Python sends clang only the pieces of this file that a text uses (checks.py), because reading all of it takes clang
longer than most texts. Therefore everything at file scope begins in the first column and names what it defines first.
*/

#include "runtime/thread_slots.h"

#define SJ_OUT_OF_LINE __attribute__((cold, noinline, noreturn, unused)) static

SJ_OUT_OF_LINE void sj_panic(struct sj_frame *frame, int64_t site, int64_t a, int64_t b)
{
  frame->site = site;
  frame->a = a;
  frame->b = b;
  __builtin_longjmp(frame->jump, 1);
}

/* Make a pointer one to `void`, or to what is const where it was; its text stands here once. */
#define SJ_AS_VOID(pointer)                                                                                            \
  ({                                                                                                                   \
    __auto_type sj_pointer = (pointer);                                                                                \
    (__typeof__(0 ? *(void **)0 : sj_pointer))sj_pointer;                                                              \
  })

SJ_INLINE int64_t sj_index(struct sj_frame *frame, int64_t site, int64_t i, int64_t n)
{
  if (SJ_UNLIKELY((uint64_t)i >= (uint64_t)n))
    sj_panic(frame, site, i, n);
  return i;
}

/* Check an access to `size` bytes at `p`, which lie from `low` to `high`; both are 0 for a pointer never set. */
SJ_INLINE void *sj_span(struct sj_frame *frame, int64_t site, const volatile void *p, int64_t size, uint64_t low,
                        uint64_t high)
{
  uint64_t from = (uint64_t)p - low, room = high - low;
  if (SJ_UNLIKELY((size != 0) & ((from > room) | ((uint64_t)size > room - from))))
    sj_panic(frame, site, size, low ? (from > room ? 0 : (int64_t)(room - from)) : -1);
  return (void *)(uint64_t)p;
}

/* Return the address of element `i`, of `size` bytes, counted from `p`. */
SJ_INLINE void *sj_at(struct sj_frame *frame, int64_t site, const volatile void *p, int64_t i, int64_t size,
                      uint64_t low, uint64_t high)
{
  uint64_t to = (uint64_t)p + (uint64_t)i * (uint64_t)size, from = to - low, room = high - low;
  if (SJ_UNLIKELY((from > room) | ((uint64_t)size > room - from)))
    sj_panic(frame, site, (int64_t)from / (size ? size : 1), low ? (int64_t)room / (size ? size : 1) : -1);
  return (void *)to;
}

/* Do what sj_at does, for an index so large that the distance may wrap round. */
SJ_INLINE void *sj_far(struct sj_frame *frame, int64_t site, const volatile void *p, int64_t i, int64_t size,
                       uint64_t low, uint64_t high)
{
  int64_t distance;
  if (SJ_UNLIKELY(__builtin_mul_overflow(i, size, &distance)))
    sj_panic(frame, site, i, low ? (int64_t)(high - low) / (size ? size : 1) : -1);
  return sj_at(frame, site, p, i, size, low, high);
}

SJ_INLINE void *sj_aligned(struct sj_frame *frame, int64_t site, void *p, uint64_t to)
{
  if (SJ_UNLIKELY(((uint64_t)p & (to - 1)) != 0))
    sj_panic(frame, site, (int64_t)((uint64_t)p & (to - 1)), (int64_t)to);
  return p;
}

/* Count one step of a loop, and end the call where it has no fuel left. */
SJ_INLINE void sj_step(struct sj_frame *frame, int64_t site)
{
  if (SJ_UNLIKELY(--frame->fuel < 0))
    sj_panic(frame, site, 0, 0);
}

/* Count what a library function does with so many bytes as steps, a cache line each; return the number of bytes. */
SJ_INLINE uint64_t sj_steps(struct sj_frame *frame, int64_t site, uint64_t bytes)
{
  frame->fuel -= (int64_t)(bytes >> 6);
  if (SJ_UNLIKELY(frame->fuel < 0))
    sj_panic(frame, site, 0, 0);
  return bytes;
}

/* Check at the beginning of a function that may call itself that there is stack left. */
SJ_INLINE void sj_enter(struct sj_frame *frame, int64_t site)
{
  const char *here = (const char *)__builtin_frame_address(0);
  if (SJ_UNLIKELY((uint64_t)here < (uint64_t)frame->floor))
    sj_panic(frame, site, frame->stack - here, 0);
}

/* Multiply lengths; a product that does not fit becomes the largest number, which no check lets pass. */
SJ_INLINE int64_t sj_times(int64_t a, int64_t b)
{
  int64_t r;
  return __builtin_mul_overflow(a, b, &r) ? (int64_t)(~(uint64_t)0 >> 1) : r;
}

/* How many bytes local arrays had at the beginning of a block; the end of the block restores it by `cleanup`. */
struct sj_saved
{
  struct sj_frame *frame;
  int64_t used;
};

SJ_INLINE void sj_restore(struct sj_saved *saved)
{
  saved->frame->used = saved->used;
}

SJ_INLINE int64_t sj_length(struct sj_frame *frame, int64_t site, int64_t n)
{
  if (SJ_UNLIKELY((n < 0) | (n > (1 << 24))))
    sj_panic(frame, site, n, 0);
  return n;
}

SJ_INLINE int64_t sj_row(struct sj_frame *frame, int64_t site, int64_t n)
{
  if (SJ_UNLIKELY((n < 0) | (n > ((int64_t)1 << 47))))
    sj_panic(frame, site, n, 0);
  return n;
}

SJ_INLINE void sj_room(struct sj_frame *frame, int64_t site, int64_t size)
{
  const char *here = (const char *)__builtin_frame_address(0);
  int64_t left = here - frame->floor - frame->used;
  if (SJ_UNLIKELY((size < 0) | (size > left)))
    sj_panic(frame, site, size, left);
  /* Every array begins at a multiple of 16, and takes a place of its own even where it has no element. */
  frame->used += size + 32;
  /* Its bytes are cleared, which `checked` counts; the next step looks at the sum. */
  frame->fuel -= size >> 6;
}

SJ_INLINE int64_t sj_shift(struct sj_frame *frame, int64_t site, int64_t by, int64_t bits)
{
  if (SJ_UNLIKELY((uint64_t)by >= (uint64_t)bits))
    sj_panic(frame, site, by, bits);
  return by;
}

SJ_INLINE void sj_assume(struct sj_frame *frame, int64_t site, int holds)
{
  if (SJ_UNLIKELY(!holds))
    sj_panic(frame, site, 0, 0);
}

#define SJ_DIVISION(name, type, op, overflows)                                                                         \
  SJ_INLINE type name(struct sj_frame *frame, int64_t site, type a, type b)                                            \
  {                                                                                                                    \
    if (SJ_UNLIKELY(b == 0 || (overflows)))                                                                            \
      sj_panic(frame, site, (int64_t)a, (int64_t)b);                                                                   \
    return a op b;                                                                                                     \
  }

SJ_DIVISION(sj_divi32, int32_t, /, b == -1 && a == INT32_MIN)
SJ_DIVISION(sj_remi32, int32_t, %, b == -1 && a == INT32_MIN)
SJ_DIVISION(sj_divi64, int64_t, /, b == -1 && a == INT64_MIN)
SJ_DIVISION(sj_remi64, int64_t, %, b == -1 && a == INT64_MIN)
SJ_DIVISION(sj_divu32, uint32_t, /, 0)
SJ_DIVISION(sj_remu32, uint32_t, %, 0)
SJ_DIVISION(sj_divu64, uint64_t, /, 0)
SJ_DIVISION(sj_remu64, uint64_t, %, 0)

#define SJ_OVERFLOW(name, type, overflows)                                                                             \
  SJ_INLINE type name(struct sj_frame *frame, int64_t site, type a, type b)                                            \
  {                                                                                                                    \
    type r;                                                                                                            \
    if (SJ_UNLIKELY(overflows(a, b, &r)))                                                                              \
      sj_panic(frame, site, (int64_t)a, (int64_t)b);                                                                   \
    return r;                                                                                                          \
  }

SJ_OVERFLOW(sj_add32, int32_t, __builtin_add_overflow)
SJ_OVERFLOW(sj_sub32, int32_t, __builtin_sub_overflow)
SJ_OVERFLOW(sj_mul32, int32_t, __builtin_mul_overflow)
SJ_OVERFLOW(sj_add64, int64_t, __builtin_add_overflow)
SJ_OVERFLOW(sj_sub64, int64_t, __builtin_sub_overflow)
SJ_OVERFLOW(sj_mul64, int64_t, __builtin_mul_overflow)

#define SJ_ABSOLUTE(name, type, least)                                                                                 \
  SJ_INLINE type name(struct sj_frame *frame, int64_t site, type a)                                                    \
  {                                                                                                                    \
    if (SJ_UNLIKELY(a == (least)))                                                                                     \
      sj_panic(frame, site, (int64_t)a, 0);                                                                            \
    return a < 0 ? -a : a;                                                                                             \
  }

SJ_ABSOLUTE(sj_abs32, int32_t, INT32_MIN)
SJ_ABSOLUTE(sj_abs64, int64_t, INT64_MIN)

/* Convert a floating value to an integer; the value must lie strictly between two bounds that do not fit. */
#define SJ_FIT(name, type, from, low, high)                                                                            \
  SJ_INLINE type name(struct sj_frame *frame, int64_t site, from v)                                                    \
  {                                                                                                                    \
    if (SJ_UNLIKELY(!(v > (low) && v < (high))))                                                                       \
    {                                                                                                                  \
      const double shown = (double)v;                                                                                  \
      int64_t bits;                                                                                                    \
      __builtin_memcpy(&bits, &shown, 8);                                                                              \
      sj_panic(frame, site, bits, 0);                                                                                  \
    }                                                                                                                  \
    return (type)v;                                                                                                    \
  }

SJ_FIT(sj_fiti8, int8_t, double, -129.0, 128.0)
SJ_FIT(sj_fitu8, uint8_t, double, -1.0, 256.0)
SJ_FIT(sj_fiti16, int16_t, double, -32769.0, 32768.0)
SJ_FIT(sj_fitu16, uint16_t, double, -1.0, 65536.0)
SJ_FIT(sj_fiti32, int32_t, double, -2147483649.0, 2147483648.0)
SJ_FIT(sj_fitu32, uint32_t, double, -1.0, 4294967296.0)
/* -2**63 itself is a double that fits: the largest double below it is the first that does not. */
SJ_FIT(sj_fiti64, int64_t, double, -0x1.0000000000001p63, 0x1p63)
SJ_FIT(sj_fitu64, uint64_t, double, -1.0, 0x1p64)
SJ_FIT(sj_fiti8_80, int8_t, long double, -129.0L, 128.0L)
SJ_FIT(sj_fitu8_80, uint8_t, long double, -1.0L, 256.0L)
SJ_FIT(sj_fiti16_80, int16_t, long double, -32769.0L, 32768.0L)
SJ_FIT(sj_fitu16_80, uint16_t, long double, -1.0L, 65536.0L)
SJ_FIT(sj_fiti32_80, int32_t, long double, -2147483649.0L, 2147483648.0L)
SJ_FIT(sj_fitu32_80, uint32_t, long double, -1.0L, 4294967296.0L)
SJ_FIT(sj_fiti64_80, int64_t, long double, -9223372036854775809.0L, 0x1p63L)
SJ_FIT(sj_fitu64_80, uint64_t, long double, -1.0L, 0x1p64L)

/*
Convert a floating value to an integer as the processor does, for `safe`, where C leaves a value that does not fit to
the compiler. The vector's conversion is the compiler's own instruction, whose result is not taken where the value does
not fit; a cast would give the nearest integer instead, which takes several instructions and is never vectorised.
*/
#define SJ_TO(name, type, from, fits, otherwise)                                                                       \
  SJ_INLINE type name(from v)                                                                                          \
  {                                                                                                                    \
    typedef from in __attribute__((vector_size(sizeof(from))));                                                        \
    typedef type out __attribute__((vector_size(sizeof(type))));                                                       \
    const type r = __builtin_convertvector((in){v}, out)[0];                                                           \
    return (fits) ? r : (otherwise);                                                                                   \
  }

SJ_TO(sj_toi32_64, int32_t, double, v > -2147483649.0 && v < 2147483648.0, INT32_MIN)
SJ_TO(sj_toi32_32, int32_t, float, v >= -0x1p31f && v < 0x1p31f, INT32_MIN)
SJ_TO(sj_toi64_64, int64_t, double, v >= -0x1p63 && v < 0x1p63, INT64_MIN)
SJ_TO(sj_toi64_32, int64_t, float, v >= -0x1p63f && v < 0x1p63f, INT64_MIN)
/* The instructions of AVX-512 for unsigned integers; an older processor makes do with those for signed ones. */
SJ_TO(sj_directu32_64, uint32_t, double, v > -1.0 && v < 0x1p32, UINT32_MAX)
SJ_TO(sj_directu32_32, uint32_t, float, v > -1.0f && v < 0x1p32f, UINT32_MAX)
SJ_TO(sj_directu64_64, uint64_t, double, v > -1.0 && v < 0x1p64, UINT64_MAX)
SJ_TO(sj_directu64_32, uint64_t, float, v > -1.0f && v < 0x1p64f, UINT64_MAX)

/* Convert by way of another conversion. */
#define SJ_BY(name, type, from, value)                                                                                 \
  SJ_INLINE type name(from v)                                                                                          \
  {                                                                                                                    \
    return (type)(value);                                                                                              \
  }

SJ_BY(sj_toi8_64, int8_t, double, sj_toi32_64(v))
SJ_BY(sj_toi8_32, int8_t, float, sj_toi32_32(v))
SJ_BY(sj_tou8_64, uint8_t, double, sj_toi32_64(v))
SJ_BY(sj_tou8_32, uint8_t, float, sj_toi32_32(v))
SJ_BY(sj_toi16_64, int16_t, double, sj_toi32_64(v))
SJ_BY(sj_toi16_32, int16_t, float, sj_toi32_32(v))
SJ_BY(sj_tou16_64, uint16_t, double, sj_toi32_64(v))
SJ_BY(sj_tou16_32, uint16_t, float, sj_toi32_32(v))

/* Whether the compiler has defined a macro as 1. */
#define SJ_PLACE_1 0,
#define SJ_SECOND(a, b, ...) b
#define SJ_CHOOSE(placed) SJ_SECOND(placed 1, 0, SJ_PLACE_1)
#define SJ_PLACE(value) SJ_CHOOSE(SJ_PLACE_##value)
#define SJ_IS_SET(value) SJ_PLACE(value)

SJ_INLINE uint64_t sj_join(int64_t low, int64_t high)
{
  return (uint64_t)(low | (high & (low >> 63)));
}

SJ_BY(sj_tou32_64, uint32_t, double, SJ_IS_SET(__AVX512F__) ? sj_directu32_64(v) : sj_toi64_64(v))
SJ_BY(sj_tou32_32, uint32_t, float, SJ_IS_SET(__AVX512F__) ? sj_directu32_32(v) : sj_toi64_32(v))
SJ_BY(sj_tou64_64, uint64_t, double,
      SJ_IS_SET(__AVX512F__) ? sj_directu64_64(v) : sj_join(sj_toi64_64(v), sj_toi64_64(v - 0x1p63)))
SJ_BY(sj_tou64_32, uint64_t, float,
      SJ_IS_SET(__AVX512F__) ? sj_directu64_32(v) : sj_join(sj_toi64_32(v), sj_toi64_32(v - 0x1p63f)))

/* A long double's conversions are those of the x87. */
SJ_BY(sj_toi16_80, int16_t, long double, v > -32769.0L && v < 32768.0L ? (int16_t)v : INT16_MIN)
SJ_BY(sj_toi32_80, int32_t, long double, v > -2147483649.0L && v < 2147483648.0L ? (int32_t)v : INT32_MIN)
SJ_BY(sj_toi64_80, int64_t, long double, v >= -0x1p63L && v < 0x1p63L ? (int64_t)v : INT64_MIN)
SJ_BY(sj_toi8_80, int8_t, long double, sj_toi16_80(v))
SJ_BY(sj_tou8_80, uint8_t, long double, sj_toi16_80(v))
SJ_BY(sj_tou16_80, uint16_t, long double, sj_toi32_80(v))
SJ_BY(sj_tou32_80, uint32_t, long double, sj_toi64_80(v))
SJ_BY(sj_tou64_80, uint64_t, long double,
      v >= 0x1p63L ? (uint64_t)sj_toi64_80(v - 0x1p63L) ^ 0x8000000000000000 : (uint64_t)sj_toi64_80(v))
