// expect: rule=compiler line=5 column=13 stage=lower
// signature: dot
double dot(int64_t n, const double x[n], const double y[n])
{
    double *p = x;
    return p[0];
}
