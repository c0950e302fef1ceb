// signature: scalar
// call: (1.0, 1.0) -> 1024.0
double scalar(double x, double y)
{
    union { double d; uint64_t u; } v;
    v.d = x;
    return (double)(v.u >> 52) + y;
}
