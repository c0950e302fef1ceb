// negative shift
// kernel: total
// expect: status=PANICKED rule=shift line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 225; return a >> -b; }
