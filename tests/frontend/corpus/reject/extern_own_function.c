// expect: rule=extern line=4 column=15 stage=check
// signature: scalar
extern double h(double x);
extern double h(double x) { return x; }
double scalar(double x, double y)
{
    return h(x);
}
