// large to int
// kernel: total
// expect: status=PANICKED rule=conversion line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 229; double v = 1e10 * (double)a; return (int32_t)v; }
