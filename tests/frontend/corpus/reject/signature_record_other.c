// expect: rule=signature line=4 stage=check
// signature: length
struct Other { double x, y; int weights[2]; };
double length(const struct Other *p) { return p->x; }
