// integer off by one
// kernel: total
// expect: status=WRONG rule=wrong line=0
int64_t total(int64_t a, int64_t b) { volatile int row = 281; return a + b + 1; }
