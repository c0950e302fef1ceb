// statement expression
// kernel: dot
// expect: status=REJECTED rule=statement-expression line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 58; return ({ 1; }); }
