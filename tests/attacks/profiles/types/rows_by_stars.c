// Rows are read by stars instead of subscripts, with each of their spellings.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: value 21
int64_t k(int64_t i) { int64_t a[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}; int64_t (*r)[3] = a; return *(*(r + 1) + 2) + (*(r + 1))[2] + (*r++)[2] + *(*(a + i) + 2); }
