// expect: rule=signature line=0 column=0 stage=check
// signature: scalar
double scalr(double x, double y) { return x + y; }
