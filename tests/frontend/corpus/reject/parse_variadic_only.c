// expect: rule=syntax line=3 column=17 stage=parse
// signature: scalar
static double h(...) { return 1.0; }
double scalar(double x, double y)
{
    return h(x);
}
