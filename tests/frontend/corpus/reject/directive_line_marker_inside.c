// expect: rule=directive|syntax line=5 column=13 stage=*
// signature: scalar
double scalar(double x, double y)
{
    x += y; # 700 "other.c"
    return x;
}
