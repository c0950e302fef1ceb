// *=
// kernel: total
// expect: status=PANICKED rule=overflow line=1
int64_t total(int64_t a, int64_t b) { volatile int row = 213; int64_t k = a; for (int i = 0; i < 100; i++) k *= 3; return k; }
