// header overwritten
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 187; char *t = malloc(8); for (int i = 0; i < 64; i++) t[-1 - i] = 127; free(t); return 0; }
