// expect: rule=compiler line=6 column=16 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    if (x > y)
        return x;
}
