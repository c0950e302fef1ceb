// Padding may stand between fields.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct G { int32_t a; int64_t b; };
static struct G h(struct G g) { g.b++; return g; }
int64_t k(int64_t i) { struct G g = h((struct G){7, i}); int32_t j; memcpy(&j, (char *)&g + 4, 4); return 100 / (j + 1); }
