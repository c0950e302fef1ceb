// expect: rule=compiler line=7 column=1 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    if (x > y)
        return x;
}
