// pointer bytes copied
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 181; const double *p = x; int64_t k = 4096; memcpy(&p, &k, 8); return *p; }
