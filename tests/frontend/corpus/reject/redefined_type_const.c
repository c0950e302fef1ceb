// expect: rule=redefined|compiler line=* stage=*
// signature: scalar
typedef const long int64_t;
double scalar(double x, double y)
{
    int64_t q = 1;
    q++;
    return q;
}
