// 32 bits
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 207; int32_t k = INT32_MAX; return k + (int32_t)a; }
