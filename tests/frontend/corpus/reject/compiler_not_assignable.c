// expect: rule=compiler line=5 column=* stage=lower
// signature: scalar
double scalar(double x, double y)
{
    (x = y) = 3;
    return x;
}
