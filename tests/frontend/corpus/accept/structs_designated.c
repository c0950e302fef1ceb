// signature: scalar
// call: (5.0, 3.0) -> 14.0
struct point { double x, y; };
double scalar(double x, double y)
{
    struct point p = {.y = y, .x = x};
    struct { struct point p; int n[3]; } q = {.p.x = x, .n[1] = 4, .n = {[2] = 7}};
    return p.x - p.y + q.p.x + q.n[2];
}
