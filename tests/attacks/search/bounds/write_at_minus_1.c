// write at -1
// kernel: sort
// expect: status=PANICKED rule=index line=1
void sort(int64_t n, double x[n]) { volatile int row = 90; x[0] = 1; x[-1] = 1; }
