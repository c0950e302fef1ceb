// signature: length
// call: ((3.0, 4.0, (1, 2)),) -> 3.0
typedef struct Point { double x, y; int weights[2]; } Point;
double length(const Point *p) { return p->x; }
