// expect: rule=struct line=3 stage=check
// signature: length
struct Point { double y, x; int weights[2]; };
double length(const struct Point *p) { return p->x; }
