// expect: rule=character line=6 column=12 stage=read
// expect: rule=character line=7 column=12 stage=read
// signature: scalar
double scalar(double x, double y)
{
    double é = x;
    return é;
}
