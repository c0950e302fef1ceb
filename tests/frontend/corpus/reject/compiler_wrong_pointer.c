// expect: rule=compiler line=5 column=10 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    int *p = &x;
    return *p;
}
