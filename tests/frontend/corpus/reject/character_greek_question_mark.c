// expect: rule=character line=5 column=13 stage=read
// signature: scalar
double scalar(double x, double y)
{
    return x;
}
