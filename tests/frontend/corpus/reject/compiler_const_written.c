// expect: rule=compiler line=3 column=8 stage=lower in=canonical
// signature: dot
double dot(int64_t n, const double x[n], const double y[n])
{
    x[0] = 1.0;
    return y[0];
}
