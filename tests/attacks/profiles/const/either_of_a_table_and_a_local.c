// A choice between a table and a local of another type is written through.
// signature: double k(int64_t i)
// arguments: 1
// expect: refused compiler
static const double t[2] = {1, 2};
double k(int64_t i) { int64_t z[2]; double *q = (void *)(i ? t : z); q[0] = 77; return t[0]; }
