// Bits that belong to no field.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct B { unsigned a : 3; unsigned b : 7; };
static struct B h(struct B b) { b.a++; return b; }
int64_t k(int64_t i) { struct B b = h((struct B){i, i}); uint32_t j; memcpy(&j, &b, 4); return 100 / (int)((j >> 10) + 1); }
