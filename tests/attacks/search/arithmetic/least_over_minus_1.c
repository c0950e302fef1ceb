// least / -1
// kernel: total
// expect: status=PANICKED rule=division line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 215; int64_t k = INT64_MIN, m = a - a - 1; return k / m; }
