// A struct that wants 16 bytes of alignment is copied at any address of a local array.
// signature: double k(int64_t i)
// arguments: 1
// expect: contained
struct L { long double a; };
double k(int64_t i){ char c[100]; for (int j = 0; j < 100; j++) c[j] = i * j; struct L *p = (struct L *)(c + i), *q = (struct L *)(c + i + 40); *p = *q; double s = 0; for (int j = 0; j < 100; j++) s += c[j]; return s; }
