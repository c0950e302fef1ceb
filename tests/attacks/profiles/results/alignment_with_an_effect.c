// The offset of an alignment is evaluated too.
// signature: double k(int64_t n, const double x[n])
// arguments: np.ones(4)
// expect: value 11.0
double k(int64_t n, const double x[n])
{
  int64_t i = 0;
  const double *p = __builtin_assume_aligned(x, 8, 8 * i++);
  return p[0] + 10 * i;
}
