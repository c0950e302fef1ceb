// expect: rule=compiler line=5 column=16 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    return x + z;
}
