// expect: rule=redefined line=4 column=24 stage=check
// signature: scalar
typedef char T[100000];
static double g(double T, double y[][sizeof(T) + 1])
{
    return y[0][0] + T;
}
double scalar(double x, double y)
{
    double z[9] = {0};
    return g(x, (void *)z);
}
