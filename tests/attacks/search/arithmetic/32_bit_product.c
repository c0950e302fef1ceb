// 32-bit product
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 208; int32_t k = (int32_t)a + 65536; return k * k; }
