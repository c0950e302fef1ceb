// expect: rule=struct line=3 stage=check
// signature: length
struct Point { double x, y; int weights[3]; };
double length(const struct Point *p) { return p->x; }
