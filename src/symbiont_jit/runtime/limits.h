#pragma once

/* Numbers that C and Python share. They stand only here: Python reads them from this file (sources.py: NUMBERS). */

/* Threads that can be in instrumented calls at the same time and be interrupted. A power of two. */
#define SJ_THREADS 4096
/* Bytes at the lower end of a stack that no candidate gets: for the guard page, signal handlers and reports. */
#define SJ_STACK_MARGIN 65536
/* The floor of slot 0, which threads without a slot of their own share: no stack lies above it. */
#define SJ_NO_STACK 4611686018427387904

/* Panics that wait in a table to be taken. */
#define SJ_RECORDS 64
/* What a panic has instead of a site: the call was interrupted, or the thread has no stack left for it. */
#define SJ_INTERRUPTED (-1)
#define SJ_NO_ROOM (-2)
/* What is asked for when a panic of any revision will do, and the fuel of a call that may run for ever. */
#define SJ_ANY_REVISION (-4611686018427387904)
#define SJ_ENDLESS 4611686018427387904

/* Bytes that the blocks of one call can have together, with their headers. */
#define SJ_ARENA_BYTES 67108864
/* What a call leaves in the arena beyond this many bytes goes back to the system before the next call. */
#define SJ_ARENA_KEPT 1048576
