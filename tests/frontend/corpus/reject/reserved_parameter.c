// expect: rule=reserved line=3 column=22 stage=check
// signature: scalar
double scalar(double __x, double y) { return y; }
