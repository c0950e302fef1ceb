// subtraction
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 204; int64_t k = INT64_MIN; return k - b; }
