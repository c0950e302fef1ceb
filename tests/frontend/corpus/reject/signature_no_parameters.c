// expect: rule=signature line=3 column=8 stage=check
// signature: scalar
double scalar(void) { return 1.0; }
