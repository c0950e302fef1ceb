// columns end
// kernel: matmul
// expect: status=PANICKED rule=index line=1
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m]) { volatile int row = 101; c[0][m] = 3; }
