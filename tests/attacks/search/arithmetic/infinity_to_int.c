// infinity to int
// kernel: total
// expect: status=PANICKED rule=conversion line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 233; return INFINITY * (double)b; }
