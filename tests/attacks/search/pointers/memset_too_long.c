// memset too long
// kernel: sort
// expect: status=PANICKED rule=memory line=1
void sort(int64_t n, double x[n]) { volatile int row = 159; memset(x, 0, 8 * n + 1); }
