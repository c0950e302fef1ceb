// /= zero
// kernel: total
// expect: status=PANICKED rule=division line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 221; int64_t z = a - a; b /= z; return b; }
