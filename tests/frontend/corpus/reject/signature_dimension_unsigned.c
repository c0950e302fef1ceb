// expect: rule=signature line=3 column=19 stage=check
// signature: dot
double dot(size_t n, const double x[n], const double y[n]) { return x[0]; }
