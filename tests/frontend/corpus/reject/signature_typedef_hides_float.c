// expect: rule=signature line=4 column=20 stage=check
// signature: scalar
typedef float real;
double scalar(real x, double y) { return x + y; }
