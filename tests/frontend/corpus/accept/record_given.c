// signature: length
// call: ((3.0, 4.0, (1, 2)),) -> 8.0
double length(const struct Point *p) { return sqrt(p->x * p->x + p->y * p->y) + p->weights[0] + p->weights[1]; }
