// expect: rule=signature line=4 column=25 stage=check
// expect: rule=signature line=4 column=54 stage=check
// signature: dot
double dot(const double *x, const double *y, int64_t n) { return x[0]; }
