// expect: rule=compiler line=5 column=5 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    break;
    return x;
}
