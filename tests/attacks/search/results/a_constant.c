// a constant
// kernel: scalar
// expect: status=WRONG rule=wrong line=0
double scalar(double x, double y) { volatile int row = 267; return 1.5; }
