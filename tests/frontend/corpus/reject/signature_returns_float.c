// expect: rule=signature line=3 column=7 stage=check
// signature: scalar
float scalar(double x, double y) { return x + y; }
