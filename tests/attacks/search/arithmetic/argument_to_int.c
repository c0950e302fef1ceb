// argument to int
// kernel: total
// expect: status=PANICKED rule=conversion line=2
static int64_t f(int32_t k) { return k; }
int64_t total(int64_t a, int64_t b) { volatile int row = 235; return f(1e12 * (double)a); }
