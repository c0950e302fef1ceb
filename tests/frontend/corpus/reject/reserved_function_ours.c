// expect: rule=reserved line=3 column=15 stage=check
// signature: scalar
static double symbiont_h(double x) { return x; }
double scalar(double x, double y)
{
    return x;
}
