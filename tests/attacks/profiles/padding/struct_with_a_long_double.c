// Padding within a field of a struct.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct L { int64_t a; long double b; };
static struct L h(struct L l) { l.b++; return l; }
int64_t k(int64_t i) { struct L l = h((struct L){7, i}); int32_t j; memcpy(&j, (char *)&l + 28, 4); return 100 / (j + 1); }
