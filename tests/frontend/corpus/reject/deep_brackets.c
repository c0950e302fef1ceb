// expect: rule=too-deep line=5 column=59 stage=read
// signature: scalar
double scalar(double x, double y)
{
    return ((((((((((((((((((((((((((((((((((((((((((((((((x))))))))))))))))))))))))))))))))))))))))))))))));
}
