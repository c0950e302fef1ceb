// expect: rule=compiler line=3 column=8 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    int *p = &x;
    return *p;
}
