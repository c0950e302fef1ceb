// signature: dot
// call: ([1.0, 2.0], [3.0, 4.0]) -> 25.0
double dot(int64_t n, const double x[n], const double y[n])
{
    double t[n + 1], g[2][n + 1];
    memset(g, 0, sizeof g);
    for (int64_t i = 0; i < n; i++) { t[i] = x[i] * y[i]; g[1][i] = t[i]; }
    double s = 0.0;
    for (int64_t i = 0; i < n; i++) s += t[i] + g[1][i] + g[0][i];
    return s + sizeof(t) / sizeof(*t);
}
