// infinity
// kernel: scalar
// expect: status=WRONG rule=wrong line=0
double scalar(double x, double y) { volatile int row = 269; return INFINITY; }
