// signature: dot
// call: ([1.0, 2.0], [3.0, 4.0]) -> 11.0
double dot(const int64_t n, const double *restrict const a, const double *b)
{
    double s = 0.0;
    while (a + (int64_t)s < a) s++;
    for (int64_t i = 0; i < n; i++) s += *(a + i) * b[i];
    return s;
}
