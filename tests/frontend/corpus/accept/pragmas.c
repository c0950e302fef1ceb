// signature: dot
// call: ([1.0, 2.0], [3.0, 4.0]) -> 11.0
double dot(int64_t n, const double x[n], const double y[n])
{
    #pragma clang fp contract(fast) reassociate(on)
    double s = 0.0;
#pragma clang loop vectorize(enable) interleave_count(4)
    for (int64_t i = 0; i < n; i++)
        s += x[i] * y[i];
#pragma GCC unroll 4
    for (int64_t i = 0; i < n; i++) s += 0.0;
    if (n)
#pragma unroll(2)
        for (int64_t i = 0; i < n; i++) s -= 0.0;
    else
#pragma nounroll
        while (n > 0) n--;
    return s;
}
