// goto back
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 255; volatile int k = 1; a: k = 4; goto a; }
