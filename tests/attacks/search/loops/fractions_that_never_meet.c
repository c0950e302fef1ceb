// fractions that never meet
// kernel: scalar
// expect: status=PANICKED rule=endless line=1
double scalar(double x, double y) { volatile int row = 264; double t = 0; while (t != 1.0) t += 0.3; return t * x * y; }
