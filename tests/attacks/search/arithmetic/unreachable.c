// unreachable
// kernel: total
// expect: status=PANICKED rule=unreachable line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 237; if (a > 0) __builtin_unreachable(); return a + b; }
