// 32-bit least / -1
// kernel: total
// expect: status=PANICKED rule=division line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 217; int32_t k = INT32_MIN, m = (int32_t)(a - a) - 1; return k / m; }
