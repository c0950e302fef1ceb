// expect: rule=signature line=4 stage=check
// expect: rule=signature line=4 stage=check
// signature: rotate
double rotate(double z) { return z; }
