// C leaves the order open; it is clang's here too, so that what is checked is what is installed.
// signature: int64_t k(int64_t x)
// arguments: 1
// expect: value 3100
static int64_t next(int64_t *c) { return ++*c; }
int64_t k(int64_t x)
{
  int64_t c = 0, a[4] = {7, 100, 1000, 5000};
  a[next(&c)] /= next(&c);
  return a[1] + a[2] * 3;
}
