// increment
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 209; int64_t k = INT64_MAX - a; for (int i = 0; i < 20; i++) k++; return k; }
