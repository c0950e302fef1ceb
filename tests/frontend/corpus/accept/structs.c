// signature: scalar
// call: (2.0, 3.0) -> 9.0
struct point { double x, y; };
struct line { struct point from, to; };
double scalar(double x, double y)
{
    struct point p = {x, y}, *q = &p;
    q->x += 1.0;
    struct line l = {p, {0.0, 0.0}};
    return l.from.x * q->y - l.to.x;
}
