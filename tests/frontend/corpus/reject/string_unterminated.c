// expect: rule=literal line=5 column=21 stage=read
// signature: scalar
double scalar(double x, double y)
{
    const char *s = "abc;
    return x;
}
