// signature: scalar
// call: (0.0, 0.0) -> 18.0
double scalar(double x, double y)
{
    struct { int a : 3; unsigned b : 5; } s = {1, 17}, *p = &s;
    return s.a + p->b;
}
