#pragma once

/* The numbers that C and Python share. They stand only here: Python reads this file (sources.py: NUMBERS). */

/* How many threads can be in instrumented calls at the same time and be interrupted; a power of two. */
#define SJ_THREADS 4096
/* How many bytes at the lower end of a stack are for the guard page, signal handlers and reports alone. */
#define SJ_STACK_MARGIN 65536
/* The floor of slot 0, which threads without a slot of their own share: no stack lies above it. */
#define SJ_NO_STACK 4611686018427387904

/* How many ranges of addresses the handler of faults knows as machine code, and how many signals have a place in the
table of what was to be done before. */
#define SJ_CODE_RANGES 4096
#define SJ_SIGNALS 16
/* The signal that ends instrumented calls: SIGRTMAX - 3. */
#define SJ_INTERRUPT_SIGNAL 61
/* How many bytes a thread has for the handlers of signals that come when its stack is used up. */
#define SJ_SIGNAL_STACK 65536

/* How many panics can wait in a table to be taken. */
#define SJ_RECORDS 64
/* The site of a panic that has no place in the text: the call was interrupted, its thread has no stack left, the
function has no body, or the processor refused an instruction. */
#define SJ_INTERRUPTED (-1)
#define SJ_NO_ROOM (-2)
#define SJ_UNEVOLVED (-3)
#define SJ_FAULT (-4)
/* The revision that functions without a body say they are of. */
#define SJ_NO_REVISION 0
/* What is found of a panic whose record is gone. */
#define SJ_REPLACED 2
/* How many revisions back a call that panics looks for one that has not. */
#define SJ_FALLBACKS 8
/* The revision to ask for where a panic of any will do, and the fuel of a call that may run for ever. */
#define SJ_ANY_REVISION (-4611686018427387904)
#define SJ_ENDLESS 4611686018427387904

/* How many bytes the blocks of one call can have together, with their headers. */
#define SJ_ARENA_BYTES 67108864
/* Memory that a call leaves in the arena beyond this many bytes goes back to the system before the next call. */
#define SJ_ARENA_KEPT 1048576
