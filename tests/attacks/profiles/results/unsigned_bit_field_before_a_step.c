// What a bit-field was before a step has its declared type: the quotient is one of unsigned numbers.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: value 12
struct B { unsigned c : 7; };
int64_t k(int64_t i)
{
  struct B s = {i};
  int64_t a = s.c++ / -1, b = s.c++ > -1, c = s.c++ - 4 > 0, d = -s.c-- > 0, e = s.c-- * 2 - 100 > 0;
  return a + b + 2 * c + 4 * d + 8 * e - 2 * c;
}
