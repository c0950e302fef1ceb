// signature: scalar
// call: (1.0, 2.0) -> 6.0
static const int t[2][3] = {{1, 2, 3}, {4, 5, 6}};
double scalar(double x, double y)
{
    return t[(int)x][(int)y];
}
