// shift too far
// kernel: total
// expect: status=PANICKED rule=shift line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 224; return a << (b + 64); }
