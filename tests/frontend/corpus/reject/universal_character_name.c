// expect: rule=syntax|character line=5 column=12 stage=*
// signature: scalar
double scalar(double x, double y)
{
    double \u00e9 = x;
    return x;
}
