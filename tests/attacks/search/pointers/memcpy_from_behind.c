// memcpy from behind
// kernel: sort
// expect: status=PANICKED rule=memory line=1
void sort(int64_t n, double x[n]) { volatile int row = 157; memcpy(x, x + n, 8); }
