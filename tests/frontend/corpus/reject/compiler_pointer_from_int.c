// expect: rule=compiler line=5 column=13 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    double *p = 5;
    return *p;
}
