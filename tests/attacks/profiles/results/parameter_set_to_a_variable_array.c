// A parameter becomes a pointer to an array of the same function, which lives as long as it does.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 7.0
static double last(const double *p, int64_t n)
{
    double t[n];
    for (int64_t i = 0; i < n; i++)
        t[i] = p[i] - 1;
    p = t;
    return p[n - 1];
}
double k(int64_t n, double x[n])
{
    double s = last(x, n), t[n];
    t[0] = 4;
    x = t;
    return s + x[0];
}
