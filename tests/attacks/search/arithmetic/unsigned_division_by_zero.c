// unsigned division by zero
// kernel: total
// expect: status=PANICKED rule=division line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 220; return (uint64_t)a / (uint64_t)(b - b); }
