// float to int8
// kernel: total
// expect: status=PANICKED rule=conversion line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 234; float v = 1000.0f * (float)a; int8_t k = v; return k; }
