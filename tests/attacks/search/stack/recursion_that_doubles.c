// recursion that doubles
// kernel: total
// expect: status=PANICKED rule=recursion line=1
static int64_t f(int64_t k) { volatile int64_t t = k; return f(t + 1) ^ f(t + 2); }
int64_t total(int64_t a, int64_t b) { volatile int row = 248; return f(a); }
