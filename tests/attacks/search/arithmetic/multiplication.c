// multiplication
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 205; return (a + (1LL << 40)) * (b + (1LL << 40)); }
