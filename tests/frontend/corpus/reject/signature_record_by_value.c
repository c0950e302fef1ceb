// expect: rule=signature line=3 stage=check
// signature: length
double length(struct Point p) { return p.x; }
