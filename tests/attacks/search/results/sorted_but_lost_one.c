// sorted but lost one
// kernel: sort
// expect: status=WRONG rule=wrong line=0
void sort(int64_t n, double x[n]) { volatile int row = 279; for (int64_t i = 0; i < n; i++) x[i] = i; }
