// while on the data
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 253; double s = 0; while (x[0] < 2) s = y[1]; return s; }
