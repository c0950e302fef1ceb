// expect: rule=signature line=3 column=8 stage=check
// signature: dot
double dot(const double *x, const double *y) { return x[0]; }
