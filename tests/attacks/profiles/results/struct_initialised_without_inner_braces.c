// Values go on through arrays and structs whose braces are left out.
// signature: double k(double x)
// arguments: 2.75
// expect: value 4330.25
double k(double x)
{
  struct P { double p; int q; };
  struct S { int a[2]; double c; struct P d[2]; } s = {1, 2, x, x, 3, {x, 4}};
  return s.c + 10 * s.d[0].p + 100 * s.d[0].q + 1000 * s.d[1].q;
}
