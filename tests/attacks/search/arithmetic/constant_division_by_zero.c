// constant division by zero
// kernel: total
// expect: status=PANICKED rule=division line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 223; return a + 1 / 0; }
