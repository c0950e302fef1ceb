// expect: rule=compiler line=3 column=3 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    break;
    return x;
}
