// expect: rule=compiler line=7 column=10 stage=lower in=canonical
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
