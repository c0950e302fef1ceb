// expect: rule=compiler line=3 column=14 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    return x + z;
}
