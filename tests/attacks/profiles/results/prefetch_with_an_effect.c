// A hint is nothing, but its argument is evaluated.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 4)
// expect: value 6.0
double k(int64_t n, const double x[n])
{
  double s = 0;
  const double *p = x;
  while (p < x + n) {
    s += *p;
    __builtin_prefetch(p++);
  }
  return s;
}
