// expect: rule=extern line=4 column=8 stage=check
// expect: rule=signature line=4 column=8 stage=check
// signature: scalar
double scalar(double x, double y);
