// swapping for ever
// kernel: sort
// expect: status=PANICKED rule=endless line=1
void sort(int64_t n, double x[n]) { volatile int row = 260; while (x[0] != x[1]) { double t = x[0]; x[0] = x[1]; x[1] = t; } }
