// write at n + 1
// kernel: sort
// expect: status=PANICKED rule=index line=1
void sort(int64_t n, double x[n]) { volatile int row = 92; x[0] = 1; x[n + 1] = 1; }
