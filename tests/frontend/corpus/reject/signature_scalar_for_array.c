// expect: rule=signature line=3 column=36 stage=check
// signature: dot
double dot(int64_t n, const double x, const double y[n]) { return y[0]; }
