// += a large number
// kernel: total
// expect: status=PANICKED rule=conversion line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 236; int32_t k = 0; k += 1e12 * (double)a; return k; }
