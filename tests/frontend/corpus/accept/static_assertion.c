// signature: scalar
// call: (1.0, 2.0) -> 1.0
_Static_assert(sizeof(int64_t) == 8, "64 bits");
double scalar(double x, double y)
{
    _Static_assert(1, "fine");
    return x;
}
