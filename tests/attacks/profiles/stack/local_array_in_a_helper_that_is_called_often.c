// The helper's array is given back at its return, so a hundred thousand calls take no more stack than one.
// signature: double k(int64_t i)
// arguments: 100000
// expect: value 350000.0
static double h(int64_t m) { double t[m]; for (int64_t q = 0; q < m; q++) t[q] = q; return t[m - 1]; }
double k(int64_t i){ double s = 0; for (int64_t j = 0; j < i; j++) s += h(j % 8 + 1); return s; }
