// in place
// kernel: sort
// expect: status=PANICKED rule=endless line=1
void sort(int64_t n, double x[n]) { volatile int row = 259; for (int64_t i = 0; i < n; i = i ? 0 : 1) x[i] = -x[i]; }
