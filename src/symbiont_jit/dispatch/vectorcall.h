#pragma once

/*
The text that every way in from Python shares (vectorcall.py generates the rest for each signature): Python's C
interface, and the checks of arguments. Each check says whether an argument is exactly right; where one is not, the slow
way is taken.

The interface is declared by hand, because the compiler that serves kernels runs without Python's and NumPy's headers.
*/

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatch/cell.h"

extern void *PyTuple_GetItem(void *, int64_t);
extern char *PyBytes_AsString(void *);
extern void *PyErr_Occurred(void);
extern void PyErr_Clear(void);
extern double PyFloat_AsDouble(void *);
extern long long PyLong_AsLongLong(void *);
extern unsigned long long PyLong_AsUnsignedLongLong(void *);
extern double PyComplex_RealAsDouble(void *);
extern double PyComplex_ImagAsDouble(void *);
extern void *PyFloat_FromDouble(double);
extern void *PyLong_FromLongLong(long long);
extern void *PyLong_FromUnsignedLongLong(unsigned long long);
extern void *PyComplex_FromDoubles(double, double);
extern void *PyBool_FromLong(long);
extern void *Py_BuildValue(const char *, ...);
extern void *PyObject_Vectorcall(void *, void *const *, size_t, void *);
extern void *PyObject_CallFunction(void *, const char *, ...);
extern void Py_DecRef(void *);
extern void *PyEval_SaveThread(void);
extern void PyEval_RestoreThread(void *);

/* Objects that arguments are compared with by identity. */
extern char sj_none[], sj_float[], sj_int[], sj_complex[], sj_true[], sj_false[], sj_ndarray[], sj_float64[];

/* CPython's PyObject (Include/object.h). */
struct sj_object
{
  int64_t references;
  void *type;
};

/* NumPy's PyArrayObject (numpy/core/include/numpy/ndarraytypes.h). */
struct sj_array
{
  int64_t references;
  void *type;
  char *data;
  int dimensions;
  int64_t *shape;
  int64_t *strides;
  void *base;
  void *dtype;
  int flags;
};

#define SJ_READABLE (0x1 | 0x100) /* C-contiguous and aligned */
#define SJ_WRITABLE (SJ_READABLE | 0x400)

static inline bool sj_is_bool(const void *given)
{
  return given == sj_true || given == sj_false;
}

static inline bool sj_is_float(const void *given)
{
  const void *type = ((const struct sj_object *)given)->type;
  return type == sj_float || type == sj_float64;
}

static inline bool sj_is_complex(const void *given)
{
  return ((const struct sj_object *)given)->type == sj_complex;
}

static inline bool sj_is_int(const void *given)
{
  return ((const struct sj_object *)given)->type == sj_int;
}

/* Whether -1 stood for a number that does not fit; Python's error is cleared, because the slow way raises one. */
static inline bool sj_has_overflowed(void)
{
  if (!PyErr_Occurred())
    return false;
  PyErr_Clear();
  return true;
}

static inline bool sj_read_signed(void *given, long long *value)
{
  if (!sj_is_int(given))
    return false;
  *value = PyLong_AsLongLong(given);
  return !(*value == -1 && sj_has_overflowed());
}

static inline bool sj_read_unsigned(void *given, unsigned long long *value)
{
  if (!sj_is_int(given))
    return false;
  *value = PyLong_AsUnsignedLongLong(given);
  return !(*value == (unsigned long long)-1 && sj_has_overflowed());
}

static inline bool sj_is_array(const struct sj_array *array, const void *dtype, int flags)
{
  return array->type == sj_ndarray && array->dtype == dtype && (array->flags & flags) == flags;
}

/* Whether an array is one value by reference: without an axis, or with one axis of one element. */
static inline bool sj_is_one_value(const struct sj_array *array)
{
  return array->dimensions == 0 || (array->dimensions == 1 && array->shape[0] == 1);
}

/* Return the cell of `self`, a tuple of the address of the cell as bytes, the slow way, what to call after a panic, and
   objects to keep alive. */
static inline struct sj_cell *sj_cell_of(void *self)
{
  return *(struct sj_cell **)PyBytes_AsString(PyTuple_GetItem(self, 0));
}

static inline void *sj_call_slowly(void *self, void *const *args, int64_t count, void *keywords)
{
  return PyObject_Vectorcall(PyTuple_GetItem(self, 1), args, (size_t)count, keywords);
}

/* A record of a panic table (runtime/frame.h), of which the number is set before the call. */
struct sj_watched
{
  int64_t thread, number, revision, site, a, b;
};

extern int64_t sj_take_watched(uint64_t, struct sj_watched *);

static inline void sj_watch(const struct sj_cell *cell, struct sj_watched *watched)
{
  watched->number = sj_count_panics(cell);
}

static inline bool sj_has_changed(const struct sj_cell *cell, const struct sj_watched *watched)
{
  return sj_count_panics(cell) != watched->number;
}

/* Whether the panics since a call began were not the call's, or shall not be raised; else Python has an error. The
   panic is taken before anything of Python's runs, because a signal handler may call the kernel too. */
static inline bool sj_allow_panic(void *self, const struct sj_cell *cell, struct sj_watched *watched)
{
  void *raise = PyTuple_GetItem(self, 2);
  int64_t found = raise == sj_none ? 0 : sj_take_watched(cell->panics, watched);
  if (!found)
    return true;
  void *answer = PyObject_CallFunction(raise, "LLLLL", (long long)found, (long long)watched->revision,
                                       (long long)watched->site, (long long)watched->a, (long long)watched->b);
  if (answer)
    Py_DecRef(answer);
  return answer != 0;
}

/* Count a call before the target is loaded, because whoever unloads code looks at the count after the swap. */
static inline void sj_enter_cell(struct sj_cell *cell)
{
  __atomic_fetch_add(&cell->users, 1, __ATOMIC_SEQ_CST);
}

static inline void sj_leave_cell(struct sj_cell *cell)
{
  __atomic_fetch_sub(&cell->users, 1, __ATOMIC_SEQ_CST);
}
