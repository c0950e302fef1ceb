// expect: rule=attribute line=3 column=1 stage=check
// signature: scalar
[[gnu::noinline]] static double h(double x) { return x; }
double scalar(double x, double y)
{
    return h(x);
}
