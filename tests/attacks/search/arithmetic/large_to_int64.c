// large to int64
// kernel: total
// expect: status=PANICKED rule=conversion line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 230; double v = 1e19 * (double)a; int64_t k = v; return k; }
