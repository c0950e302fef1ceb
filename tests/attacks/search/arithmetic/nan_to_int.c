// NaN to int
// kernel: total
// expect: status=PANICKED rule=conversion line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 232; double v = NAN; return (int64_t)v + a; }
