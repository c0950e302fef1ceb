// expect: rule=compiler line=3 column=10 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    return errno;
}
