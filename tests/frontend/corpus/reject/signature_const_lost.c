// expect: rule=signature line=3 column=30 stage=check
// signature: dot
double dot(int64_t n, double x[n], const double y[n]) { return x[0]; }
