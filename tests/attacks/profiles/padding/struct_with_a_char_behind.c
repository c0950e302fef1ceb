// Seven bytes are nobody's.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct C { double d; char c; };
static struct C h(struct C c) { return c; }
int64_t k(int64_t i) { struct C c = h((struct C){i, 1}); int32_t j; memcpy(&j, (char *)&c + 12, 4); return 100 / (j + 1); }
