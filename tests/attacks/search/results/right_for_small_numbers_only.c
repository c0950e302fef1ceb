// right for small numbers only
// kernel: total
// expect: status=WRONG rule=wrong line=0
int64_t total(int64_t a, int64_t b) { volatile int row = 282; return (int8_t)(a * 20 + b * 20) / 20; }
