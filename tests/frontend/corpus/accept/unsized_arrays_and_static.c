// signature: dot
// call: ([1.0, 2.0], [3.0, 4.0]) -> 11.0
double dot(long count, double const a[], const double b[restrict])
{
    double s = 0.0;
    for (long i = 0; i < count; i++) s += a[i] * b[i];
    return s;
}
