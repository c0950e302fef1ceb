// expect: rule=signature line=3 column=8 stage=check
// signature: scalar
double scalr(double x, double y) { return x + y; }
