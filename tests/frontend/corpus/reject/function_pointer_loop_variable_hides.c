// expect: rule=function-pointer line=5 column=44 stage=check
// signature: scalar
double scalar(double x, double y)
{
    for (int abs = 0; abs < 3; abs++) x += abs(1);
    return x;
}
