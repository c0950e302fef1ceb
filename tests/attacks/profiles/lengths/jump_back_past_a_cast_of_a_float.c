// A jump back gives the room of an array back whose length is computed; a length that names nothing may be one.
// signature: double k(int64_t n, const double x[n])
// arguments: np.ones(3)
// expect: refused untraceable | refused compiler
struct S { double a[9]; };
static void w(volatile int64_t *p, int64_t d)
{
  volatile char t[64];
  for (int i = 0; i < 64; i++) t[i] = 1;
  if (d) { w(p, d - 1); t[0] = t[1]; } else for (int j = 0; j < 9; j++) p[j] = 0x4141414141;
}
double k(int64_t n, const double x[n])
{
  int64_t *p = 0;
L:
  if (p) { w(p, 3); return 1; }
  int64_t a[(int)500.5];
  p = a;
  goto L;
}
