// _Alignas
// kernel: dot
// expect: status=REJECTED rule=alignment line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 56; _Alignas(64) double k = 1; return k; }
