// signature: scalar
// call: (0.0, 1.0) -> 6.0
struct row { double a; int b[2]; };
static const struct row t[2] = {{1.0, {2, 3}}, {3.0, {4, 5}}};
double scalar(double x, double y)
{
    return t[1].a + t[(int)x].b[(int)y];
}
