// expect: rule=directive line=3 column=1 stage=read
// signature: scalar
#ident "x"
double scalar(double x, double y)
{
    return x;
}
