// A local array has no elements.
// signature: double k(int64_t i)
// arguments: 0
// expect: panic index | refused
double k(int64_t i){ int a[0]; return a[i]; }
