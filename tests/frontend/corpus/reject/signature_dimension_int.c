// expect: rule=signature line=3 column=16 stage=check
// signature: dot
double dot(int n, const double x[n], const double y[n]) { return x[0]; }
