// signature: scalar
// call: (1.0, 2.0) -> 44.0
double scalar(double x, double y)
{
    return __builtin_popcountll(255) + __builtin_clz(1) + (__builtin_expect(x > 0, 1) ? __builtin_fabs(-2.0) : 0) + isless(x, y) + fmax(x, y);
}
