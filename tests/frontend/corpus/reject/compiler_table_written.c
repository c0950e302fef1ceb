// expect: rule=compiler line=6 column=10 stage=lower
// signature: scalar
static const double t[2] = {1.0, 2.0};
double scalar(double x, double y)
{
    t[0] = x;
    return t[0];
}
