// expect: rule=signature line=3 column=60 stage=check
// signature: matmul
void matmul(int64_t m, int64_t k, int64_t n, const double *a[k], const double b[k][n], double c[m][n]) { }
