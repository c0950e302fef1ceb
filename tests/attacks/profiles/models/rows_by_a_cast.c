// A flat array is read as rows of four.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(8.0)
// expect: value 6.0
double k(int64_t n, const double x[n]) { const double (*rows)[4] = (const double (*)[4])x; return rows[1][2]; }
