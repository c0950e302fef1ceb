// expect: rule=compiler line=4 column=8 stage=lower in=canonical
// signature: scalar
static const double t[2] = {1.0, 2.0};
double scalar(double x, double y)
{
    t[0] = x;
    return t[0];
}
