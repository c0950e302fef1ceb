// expect: rule=signature line=3 column=9 stage=check
// signature: scalar
#define scalar(a, b) other(a, b)
double scalar(double x, double y) { return x + y; }
