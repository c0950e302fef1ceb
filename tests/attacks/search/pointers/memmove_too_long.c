// memmove too long
// kernel: sort
// expect: status=PANICKED rule=memory line=1
void sort(int64_t n, double x[n]) { volatile int row = 158; memmove(x + 1, x, 8 * n); }
