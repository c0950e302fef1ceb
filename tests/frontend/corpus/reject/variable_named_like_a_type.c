// expect: rule=redefined line=6 column=17 stage=check
// signature: scalar
typedef char T[400];
double scalar(double x, double y)
{
    for (double T = 1, a[sizeof(T)];;)
        return sizeof(a) + T;
}
