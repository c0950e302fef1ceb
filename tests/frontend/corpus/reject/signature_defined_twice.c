// expect: rule=redefined line=4 column=8 stage=check
// signature: scalar
double scalar(double x, double y) { return x; }
double scalar(double x, double y) { return y; }
