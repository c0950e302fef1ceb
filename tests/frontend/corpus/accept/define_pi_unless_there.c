// signature: scalar
// call: (2.0, 3.0) -> 2.0
#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif
double scalar(double x, double y)
{
    return M_PI > 3.14 && M_PI < 3.15 ? x : y;
}
