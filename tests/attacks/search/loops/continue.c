// continue
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 256; double s = 0; int64_t i = 0; while (i < n) { if (x[i] < 2) continue; i++; } return s; }
