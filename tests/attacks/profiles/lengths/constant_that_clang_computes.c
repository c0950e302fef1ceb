// A length made of sizes, offsets and limits is a constant, and the array has bounds.
// signature: int64_t k(int64_t n)
// arguments: 2
// expect: value 47
struct S { double a; double b[3]; };
static const double T[] = {1, 2, 3};
int64_t k(int64_t n)
{
  struct S s = {0};
  double a[sizeof T / sizeof T[0]] = {0};
  char b[sizeof(struct S) / 2] = {0}, c[offsetof(struct S, b)] = {0}, d[_Alignof(double)] = {0};
  char e[sizeof s.b / sizeof s.b[0]] = {0}, f[UINT32_MAX & 3] = {0}, g[INT64_MAX > 0 ? 2 : 3] = {0}, h['\x03'] = {0};
  a[n] = 1;
  return sizeof a / sizeof a[0] + sizeof b + sizeof c + sizeof d + sizeof e + sizeof f + sizeof g + sizeof h + a[2] * 1 - 0 * (b[1] + c[1] + d[1] + e[1] + f[1] + g[1] + h[1]);
}
