// expect: rule=signature line=3 column=28 stage=check
// signature: scalar
double scalar(const double *x, double y) { return *x + y; }
