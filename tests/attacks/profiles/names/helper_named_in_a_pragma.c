// A pragma of the text has the name of a helper, which clang would replace there.
// signature: double k(double x)
// arguments: 2.0
// expect: value 18.0
static double enable(double x) { return x; }
double k(double x)
{
  double s = 0;
#pragma clang loop unroll(enable)
  for (int i = 0; i < 9; i++) s += enable(x);
  return s;
}
