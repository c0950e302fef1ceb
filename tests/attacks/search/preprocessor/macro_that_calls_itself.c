// macro that calls itself
// kernel: dot
// expect: status=REJECTED rule=call line=2
#define F F(1)
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 13; return F; }
