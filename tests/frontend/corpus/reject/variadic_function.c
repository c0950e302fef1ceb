// expect: rule=variadic line=3 column=27 stage=check
// signature: scalar
static double h(double x, ...) { return x; }
double scalar(double x, double y)
{
    return h(x, y);
}
