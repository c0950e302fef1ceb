// expect: rule=signature line=3 column=29 stage=check
// signature: scalar
double scalar(double x, int y) { return x + y; }
