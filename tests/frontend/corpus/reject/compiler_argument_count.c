// expect: rule=compiler line=6 column=17 stage=lower
// signature: scalar
static double h(double x) { return x; }
double scalar(double x, double y)
{
    return h(x, y);
}
