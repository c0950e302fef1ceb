// decrement
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 210; int32_t k = INT32_MIN; --k; return k + a; }
