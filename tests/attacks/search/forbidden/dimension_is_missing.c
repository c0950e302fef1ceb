// dimension is missing
// kernel: dot
// expect: status=REJECTED rule=signature line=1
double dot(const double *x, const double *y) { return 0; }
