// expect: rule=compiler line=6 column=12 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    double a[2] = {x, y};
    return a[5];
}
