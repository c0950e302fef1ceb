// The code generator calls this name by itself, and would run the bytes of a table.
// signature: double k(double x, int64_t i)
// arguments: 1.0, 0
// expect: refused redefined
static const uint64_t fmodl[] = {0x0b0f0b0f0b0f0b0f, 1};
double k(double x, int64_t i) { return sin(x) + cos(x) + (double)(fmodl[i & 1] >> 63); }
