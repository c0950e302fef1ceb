// expect: rule=compiler line=3 column=15 stage=lower in=canonical
// signature: dot
double dot(int64_t n, const double x[n], const double y[n])
{
    ((double *)x)[0] = 1.0;
    return y[0];
}
