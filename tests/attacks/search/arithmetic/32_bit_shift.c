// 32-bit shift
// kernel: total
// expect: status=PANICKED rule=shift line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 226; uint32_t k = 1; return k << (b + 31); }
