// write at n
// kernel: sort
// expect: status=PANICKED rule=index line=1
void sort(int64_t n, double x[n]) { volatile int row = 88; x[0] = 1; x[n] = 1; }
