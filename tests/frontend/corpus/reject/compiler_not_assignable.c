// expect: rule=compiler line=3 column=* stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    (x = y) = 3;
    return x;
}
