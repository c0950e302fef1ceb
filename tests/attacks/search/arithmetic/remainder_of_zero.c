// remainder of zero
// kernel: total
// expect: status=PANICKED rule=division line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 219; return a % (b - b); }
