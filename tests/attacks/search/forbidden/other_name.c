// other name
// kernel: dot
// expect: status=REJECTED rule=signature line=1
double dott(int64_t n, const double x[n], const double y[n]) { return 0; }
