// expect: rule=compiler line=6 column=14 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    if (x > y)
        goto out;
    return x;
}
