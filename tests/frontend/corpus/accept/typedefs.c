// signature: scalar
// call: (1.0, 2.0) -> 3.0
typedef double real;
typedef real vec2[2];
typedef struct { real x, y; } point;
double scalar(double x, double y)
{
    real a = x;
    vec2 v = {a, y};
    point p = {v[0], v[1]};
    return p.x + p.y;
}
