// expect: rule=compiler line=9 column=10 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    switch ((int)x)
    {
    case 1:
        return y;
    case 1:
        return x;
    }
    return x;
}
