// The product of three dimensions wraps to zero bytes, and every index is below its dimension.
// signature: double k(int64_t i)
// arguments: 1048576
// expect: contained
double k(int64_t i){ int64_t m = 1 << 24; float q[m][m][m]; for (int64_t j = 0; j < 8; j++) q[0][i + j][j] = j; double s = 0; for (int64_t j = 0; j < 8; j++) s += q[0][i + 7 - j][j % 3]; return s; }
