// expect: rule=signature line=3 column=6 stage=check
// signature: scalar
void scalar(double x, double y) { }
