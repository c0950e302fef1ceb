// false assumption
// kernel: total
// expect: status=PANICKED rule=assumption line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 238; __builtin_assume(a > b + 1000); return a + b + 2; }
