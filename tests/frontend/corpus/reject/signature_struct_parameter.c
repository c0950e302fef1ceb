// expect: rule=signature line=4 column=24 stage=check
// signature: scalar
struct P { double v; };
double scalar(struct P x, double y) { return x.v + y; }
