// expect: rule=signature line=4 column=15 stage=check
// expect: rule=signature line=4 column=23 stage=check
// signature: scalar
double scalar(double, double) { return 1.0; }
