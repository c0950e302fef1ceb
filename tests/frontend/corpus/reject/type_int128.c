// expect: rule=type line=5 column=5 stage=check
// signature: scalar
double scalar(double x, double y)
{
    __int128 z = 3;
    return z;
}
