// expect: rule=compiler line=6 column=12 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    double total = x;
    return totl + y;
}
