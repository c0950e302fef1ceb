// The outer length is an offset, and the rows are empty.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(10.0)
// expect: panic index
struct s { double a; double b; };
double k(int64_t n, double x[n])
{
  n = 0;
  double a[offsetof(struct s, b)][n];
  a[7][8] = 9;
  return a[7][8];
}
