// signature: scalar
// call: (1.0, 2.0) -> 1.0
double scalar(double x, double y)
{
    int ok = INT64_MAX > 0 && UINT8_MAX == 255 && DBL_EPSILON < 1e-15 && isinf(INFINITY) && isnan(NAN) && NULL == 0 && true && !false && SIZE_MAX > INT_MAX;
    return ok ? x : y;
}
