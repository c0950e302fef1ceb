// expect: rule=compiler line=4 column=10 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    double a[2] = {x, y};
    return a[5];
}
