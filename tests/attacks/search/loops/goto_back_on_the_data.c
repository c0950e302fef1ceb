// goto back on the data
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 261; double s = 0; a: s = x[0]; if (s < 2) goto a; return s; }
