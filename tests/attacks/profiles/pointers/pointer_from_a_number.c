// The pointer is made of a number.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: refused untraceable
double k(int64_t i){ return *(double *)i; }
