// The first member is smaller than the union.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
union U { float f; double d; };
int64_t k(int64_t i) { union U u = {1.0f}; int32_t j; memcpy(&j, (char *)&u + 4, 4); return 100 / (j + 1); }
