// write least
// kernel: sort
// expect: status=PANICKED rule=index line=1
void sort(int64_t n, double x[n]) { volatile int row = 98; x[0] = 1; x[INT64_MIN + n] = 1; }
