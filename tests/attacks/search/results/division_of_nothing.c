// division of nothing
// kernel: scalar
// expect: status=WRONG rule=wrong line=0
double scalar(double x, double y) { volatile int row = 270; return (x - x) / (y - y); }
