// expect: rule=signature line=3 column=8 stage=check
// signature: scalar
double *scalar(double x, double y) { return 0; }
