// nearly
// kernel: scalar
// expect: status=WRONG rule=wrong line=0
double scalar(double x, double y) { volatile int row = 271; return x * y + 1.0000001; }
