// expect: rule=compiler line=7 column=15 stage=lower in=canonical
// signature: scalar
static double h(double x) { return x; }
double scalar(double x, double y)
{
    return h(x, y);
}
