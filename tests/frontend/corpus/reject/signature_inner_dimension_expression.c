// expect: rule=signature line=3 column=59 stage=check
// signature: matmul
void matmul(int64_t m, int64_t k, int64_t n, const double a[m][k + 0], const double b[k][n], double c[m][n]) { }
