// expect: rule=signature line=4 stage=check
// signature: length
typedef struct { double x, y; int weights[2]; } Point;
double length(const Point *p) { return p->x; }
