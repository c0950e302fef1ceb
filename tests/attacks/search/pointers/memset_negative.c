// memset negative
// kernel: sort
// expect: status=PANICKED rule=memory line=1
void sort(int64_t n, double x[n]) { volatile int row = 160; memset(x, 1, -8 * n); }
