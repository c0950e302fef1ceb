// const is missing
// kernel: dot
// expect: status=REJECTED rule=signature line=1
double dot(int64_t n, double x[n], double y[n]) { return 0; }
