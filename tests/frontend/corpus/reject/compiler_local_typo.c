// expect: rule=compiler line=4 column=10 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    double total = x;
    return totl + y;
}
