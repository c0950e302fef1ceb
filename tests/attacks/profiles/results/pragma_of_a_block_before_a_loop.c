// A pragma about floating numbers stays at the beginning of its block, also where the loop behind it gets one of its own.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 10.0
double k(int64_t n, const double x[n])
{
#pragma clang fp contract(fast)
  for (const double *p = x; p < x + 1; p++) {
    double s = 0;
    for (int64_t i = 0; i < n; i++)
      s += x[i];
    return s * *p;
  }
  return 0;
}
