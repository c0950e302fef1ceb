// fibonacci
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 214; int32_t p = 1, q = 1; for (int i = 0; i < 99; i++) { int32_t r = p + q; p = q; q = r; } return q; }
