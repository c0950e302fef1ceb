// expect: rule=compiler line=3 column=11 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    double *p = 5;
    return *p;
}
