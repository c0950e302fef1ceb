// write very negative
// kernel: sort
// expect: status=PANICKED rule=index line=1
void sort(int64_t n, double x[n]) { volatile int row = 96; x[0] = 1; x[-n - (1LL << 60)] = 1; }
