// static local
// kernel: dot
// expect: status=REJECTED rule=mutable-static line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 47; static int64_t k = 0; return k++; }
