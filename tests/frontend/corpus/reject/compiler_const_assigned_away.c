// expect: rule=compiler line=3 column=11 stage=lower in=canonical
// signature: dot
double dot(int64_t n, const double x[n], const double y[n])
{
    double *p = x;
    return p[0];
}
