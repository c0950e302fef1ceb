// A loop that gets a block around it takes its pragma along, also behind a label of a switch.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 11.0
double k(int64_t n, const double x[n])
{
  double s = 0;
  switch (n) {
  default:
    s = 1;
#pragma clang loop unroll_count(4)
    for (const double *p = x; p < x + n; p++)
      s += *p;
  }
  return s;
}
