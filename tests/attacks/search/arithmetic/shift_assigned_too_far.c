// <<= too far
// kernel: total
// expect: status=PANICKED rule=shift line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 227; b <<= 64 + a; return b; }
