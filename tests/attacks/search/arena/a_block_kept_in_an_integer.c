// a block kept in an integer
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 201; int64_t k = (int64_t)malloc(8); return *(double *)k; }
