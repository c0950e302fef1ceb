// expect: rule=compiler line=5 column=12 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    return errno;
}
