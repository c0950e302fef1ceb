#pragma once

/*
The functions of the C library that the runtime calls. They are declared by hand, because the compiler that serves
kernels runs without system headers.
tests/runtime/test_layout.py asserts each number against the headers of the machine.
*/

#include <stddef.h>
#include <stdint.h>

#define SJ_PROT_READ_WRITE 3
#define SJ_MAP_PRIVATE_ANONYMOUS_NORESERVE (0x2 | 0x20 | 0x4000)
#define SJ_MADV_DONTNEED 4
/* No system's pthread_attr_t has more words. */
#define SJ_ATTRIBUTE_WORDS 16

#define SJ_SS_DISABLE 2
#define SJ_SIG_UNBLOCK 1
/* The set of SIGILL, SIGBUS, SIGFPE and SIGSEGV. */
#define SJ_FAULT_SIGNALS (1ULL << 3 | 1ULL << 6 | 1ULL << 7 | 1ULL << 10)
/* glibc's sigset_t has so many words. */
#define SJ_SIGNAL_WORDS 16

/* POSIX's `stack_t` on a 64-bit system. */
struct sj_stack
{
  void *start;
  int flags;
  size_t size;
};

struct sj_action;

extern int sigaction(int, const struct sj_action *, struct sj_action *);
extern int sigaltstack(const struct sj_stack *, struct sj_stack *);
extern int raise(int);
extern int gettid(void);
extern int pthread_sigmask(int, const uint64_t *, uint64_t *);
extern int pthread_setspecific(unsigned, const void *);
extern unsigned long pthread_self(void);
extern int pthread_getattr_np(unsigned long, void *);
extern int pthread_attr_getstack(const void *, void **, size_t *);
extern int pthread_attr_destroy(void *);
extern void *mmap(void *, size_t, int, int, int, long);
extern int munmap(void *, size_t);
extern int madvise(void *, size_t, int);
