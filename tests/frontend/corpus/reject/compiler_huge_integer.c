// expect: rule=compiler line=3 column=10 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    return 123456789012345678901234567890;
}
