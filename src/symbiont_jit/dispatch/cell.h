#pragma once

/*
The dispatch cell as C reads it (cell.py: CellLayout). A kernel's cell leads to code. The cell of a group's member leads
to the group's slot, a cell too, which leads to the active table: `offset` says which of its cells is the member's own.
*/

#include <stdint.h>

struct sj_cell
{
  uint64_t target; /* the code; for a member of a group the address of the slot; 0 where there is none yet */
  uint64_t users;  /* calls in flight from Python */
  uint64_t offset; /* of a member's cell: bytes from the beginning of the table */
  uint64_t panics; /* the address of the panic table */
};

/* The number of panics is the first word of a table; a cell without a table counts none. */
static inline int64_t sj_count_panics(const struct sj_cell *cell)
{
  return cell->panics ? __atomic_load_n((const int64_t *)cell->panics, __ATOMIC_RELAXED) : 0;
}

/* This cell is bound when the text that uses it is loaded. */
extern struct sj_cell sj_cell;

/* Load the target with acquire order: whoever sees the address of code that was published sees the code too. */
static inline uint64_t sj_target(const struct sj_cell *cell)
{
  return __atomic_load_n(&cell->target, __ATOMIC_ACQUIRE);
}

static inline const struct sj_cell *sj_slot(const struct sj_cell *member)
{
  return (const struct sj_cell *)member->target;
}

static inline uint64_t sj_target_in_table(const struct sj_cell *member, uint64_t table)
{
  return ((const struct sj_cell *)(table + member->offset))->target;
}
