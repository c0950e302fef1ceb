// untouched output
// kernel: matmul
// expect: status=WRONG rule=wrong line=0
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m]) { volatile int row = 274;  }
