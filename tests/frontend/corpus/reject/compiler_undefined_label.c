// expect: rule=compiler line=5 column=10 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    if (x > y)
        goto out;
    return x;
}
