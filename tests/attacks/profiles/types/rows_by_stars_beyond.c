// Rows are read by stars instead of subscripts, behind the last row.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: panic pointer | panic index
int64_t k(int64_t i) { int64_t a[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}; int64_t (*r)[3] = a; return *(*(r + 2 * i) + 3); }
