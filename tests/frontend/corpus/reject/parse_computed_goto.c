// expect: rule=syntax line=5 column=10 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    goto *x;
}
