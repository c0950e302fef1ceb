// expect: rule=redefined line=3 column=16 stage=check
// signature: scalar
typedef double isnan;
double scalar(double x, double y)
{
    double *p = &x, *q = &y;
    { isnan (*p)[(long)q]; }
    return *p;
}
