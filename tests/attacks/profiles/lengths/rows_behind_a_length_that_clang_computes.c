// The outer length is a constant of clang's, and the rows have the length of a dimension that was changed.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.arange(1000.0), 60
// expect: panic index
struct s { double a; };
double k(int64_t n, double x[n], int64_t i)
{
  volatile double c[64] = {0};
  n = 1;
  volatile double a[sizeof(struct s)][n];
  for (int64_t j = 0; j < i; j++) a[7][j] = 7.0;
  return a[0][0] + c[0];
}
