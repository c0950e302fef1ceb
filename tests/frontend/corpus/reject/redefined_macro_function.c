// expect: rule=redefined line=3 column=12 stage=check
// signature: scalar
static int isnan(double x) { return x != x; }
double scalar(double x, double y)
{
    return x;
}
