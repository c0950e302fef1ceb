// expect: rule=directive line=3 column=1 stage=read
// signature: scalar
# 700 "other.c"
double scalar(double x, double y)
{
    return x;
}
