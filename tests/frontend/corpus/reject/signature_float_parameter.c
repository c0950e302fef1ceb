// expect: rule=signature line=3 column=21 stage=check
// signature: scalar
double scalar(float x, double y) { return x + y; }
